//! `gwlock simulate --member`: what a pod of `simulate job` does.

use std::time::Duration;

use clap::Args;
use gwlock_engine::client::api_error::describe;
use gwlock_engine::client::lease_api::server_date;
use http::{Method, Request, header};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{Arguments, processes};
use crate::context::{Cluster, Context, interrupted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::duration;
use crate::output;
use crate::sim::Settings;
use crate::sim::history::{History, Member};
use crate::sim::live::member::Membership;
use crate::sim::live::{self, Ground, Live};
use crate::sim::meeting::{self, Board, Next};
use crate::sim::offset::Offset;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often is looked whether the others have come.
const LOOK: Duration = Duration::from_millis(500);
/// How long the API server may not answer before a pod gives up.
const TROUBLE: Duration = Duration::from_secs(60);
/// How often the time is asked for at once, and between which pauses, before the turn of a second is looked for.
const COARSE: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);
/// How well the time has to be known, and how often is asked for it at most.
const NARROW: Duration = Duration::from_millis(4);
const ASKED: u32 = 20;
/// A clock is wrong by less than one part in so many after a while.
const DRIFT: u32 = 1000;

/// One pod of several.
#[derive(Debug, Args)]
#[group(id = "one", multiple = true, conflicts_with_all = ["timeline", "svg"])]
pub(super) struct OneOfSeveral {
    /// Play the part of this pod alone, from 0
    #[arg(long, hide = true, requires_all = ["processes", "run", "job"], value_name = "NUMBER")]
    pub(super) member: Option<u32>,
    /// What all pods of a run have in common: the uid of their Job
    #[arg(long, hide = true, requires = "member", value_name = "UID")]
    run: Option<String>,
    /// The name of their Job
    #[arg(long, hide = true, requires = "member", value_name = "NAME")]
    job: Option<String>,
    /// How long they wait for each other
    #[arg(long, hide = true, requires = "member", value_parser = duration, default_value = "5m", value_name = "DURATION")]
    meet_within: Duration,
}

/// The pod, and what it knows of the others and of the time.
struct Pod<'a> {
    flags: &'a OneOfSeveral,
    cluster: Cluster,
    membership: Membership,
    of: u32,
    /// Since when its own moments are counted.
    origin: Instant,
}

pub(super) async fn execute(
    arguments: &Arguments,
    mut settings: Settings,
    context: &Context,
) -> Result<Exit, Failure> {
    let flags = &arguments.one;
    let number = flags.member.unwrap_or_default();
    let of = processes::count(arguments).unwrap_or(settings.scenario.pods);
    if number >= of {
        let message = format!("there is no member {number} of {of}: the first one is 0");
        return Err(Failure::says(Exit::Usage, message));
    }
    settings.scenario.pods = of;
    let cluster = context.cluster().await?;
    processes::ask(arguments, &cluster).await?;
    let membership = Membership {
        number,
        pod: Context::identity(None),
        namespace: cluster.namespace.clone(),
    };
    let live = Live::new(live::Settings {
        name: settings.name.clone(),
        scenario: settings.scenario.clone(),
        protocol: settings.protocol.clone(),
        seed: arguments.seed,
        ground: Ground::Member(cluster.client.clone(), membership.clone()),
        command: replay(&settings.command, of, arguments.seed),
    });
    let mut live = live.map_err(|error| Failure::new(Exit::Bug, error))?;
    let pod = Pod {
        flags,
        cluster,
        membership,
        of,
        origin: live.time_zero(),
    };
    pod.play(&mut live).await
}

/// The command that prints the same Job.
fn replay(command: &str, of: u32, seed: u64) -> String {
    let job = command.replacen("gwlock simulate", "gwlock simulate job", 1);
    format!("{job} --pods {of} --seed {seed}")
}

impl Pod<'_> {
    async fn play(&self, live: &mut Live) -> Result<Exit, Failure> {
        let mut member = Member {
            run: self.flags.run.clone().unwrap_or_default(),
            number: self.membership.number,
            of: self.of,
            present: Vec::new(),
        };
        let mut clock = Offset::default();
        let played = tokio::select! {
            played = self.take_part(live, &mut member, &mut clock) => Ok(played),
            number = interrupted() => Err(number),
        };
        let (history, ended) = match played {
            Ok(Ok(history)) => {
                clock = self.with_time_since(clock).await;
                (history, Exit::Done)
            }
            Ok(Err(failure)) => {
                live.abandon().await;
                return Err(failure);
            }
            Err(number) => {
                output::note("interrupted; the replica has been ended, and the history stops here");
                (live.stop_here().await, Exit::Signal(number))
            }
        };
        // Nobody was there yet, so that nothing has happened.
        if !member.present.is_empty() {
            tell(history, member, clock)?;
        }
        Ok(ended)
    }

    async fn take_part(
        &self,
        live: &mut Live,
        member: &mut Member,
        clock: &mut Offset,
    ) -> Result<History, Failure> {
        live.ready().await.map_err(processes::failed)?;
        *clock = self.time().await?;
        let (begin, present) = self.meet(*clock).await?;
        member.present = present;
        let begin = self.origin + clock.when(begin).unwrap_or_default();
        // One that takes the place of a pod that was there would play what the other one has played.
        if begin < Instant::now() {
            member.present.retain(|number| *number != member.number);
        }
        if !member.present.contains(&member.number) {
            output::note("this pod has come too late: the others have begun without it");
            return Ok(live.nothing().await);
        }
        sleep_until(begin).await;
        let played = live.take_part(member.number, &member.present, begin).await;
        played.map_err(processes::failed)
    }

    /// Clocks do not run at the same speed: what is between two measurements was within both. Without the second one it is
    /// known less well, and the history is worth more than that.
    async fn with_time_since(&self, clock: Offset) -> Offset {
        let measured = tokio::select! {
            time = self.time() => time.ok(),
            // A node that is drained does not wait for ever.
            _ = interrupted() => None,
        };
        match measured {
            Some(time) => clock.and(time),
            None => clock.widened(self.origin.elapsed() / DRIFT),
        }
    }

    /// The server's time, as well as it is to be had from whole seconds.
    async fn time(&self) -> Result<Offset, Failure> {
        let mut offset = Offset::default();
        let (mut trip, mut asked) = (PATIENCE, 0);
        while asked < ASKED && (asked < COARSE || offset.width() > NARROW.max(trip * 2)) {
            if asked < COARSE {
                sleep(PAUSE).await;
            } else {
                let now = self.origin.elapsed();
                sleep_until(self.origin + offset.ask_at(now, trip)).await;
            }
            let sent = self.origin.elapsed();
            let (_, date) = self.ask(Method::GET, "/version", None).await?;
            let arrived = self.origin.elapsed();
            let no_date =
                || Failure::says(Exit::Unreachable, "the API server's answers have no Date");
            offset.observe(date.ok_or_else(no_date)?, sent, arrived);
            trip = trip.min(arrived - sent);
            asked += 1;
        }
        Ok(offset)
    }

    /// Waits for the others, and says when all begin and who is there.
    async fn meet(&self, clock: Offset) -> Result<(Timestamp, Vec<u32>), Failure> {
        let own = self.membership.number;
        let path = self.announce(own).await?;
        loop {
            let (object, _) = self.ask(Method::GET, &path, None).await?;
            let board: Board = serde_json::from_value(object["data"].clone()).unwrap_or_default();
            let made = object["metadata"]["creationTimestamp"].as_str();
            let now = clock.at(self.origin.elapsed()).map(|(now, _)| now);
            let (Some(made), Some(now)) = (made.and_then(|made| made.parse().ok()), now) else {
                return Err(Failure::says(Exit::Unreachable, "the meeting has no time"));
            };
            let next = meeting::next(&board, self.of, made, now, self.flags.meet_within);
            match next.map_err(|error| Failure::new(Exit::BadInput, error))? {
                Next::Begin(at, present) => return Ok((at, present)),
                Next::Wait(missing) => tracing::info!(?missing, "waiting for the others"),
                Next::Call(texts) => {
                    // Whoever is first calls: the others read that.
                    let version = &object["metadata"]["resourceVersion"];
                    let patch = json!({"metadata": {"resourceVersion": version}, "data": texts});
                    let called = self.send(Method::PATCH, &path, Some(&patch)).await?;
                    if !matches!(called.0, 200 | 409) {
                        return Err(refused(called));
                    }
                    continue;
                }
            }
            sleep(LOOK).await;
        }
    }

    /// Makes the place of the meeting, unless somebody else has, and leaves one's name there.
    async fn announce(&self, own: u32) -> Result<String, Failure> {
        let (run, job) = (self.flags.run.as_deref(), self.flags.job.as_deref());
        let (run, job) = (run.unwrap_or_default(), job.unwrap_or_default());
        let name = format!("gwlock-simulation-{run}");
        let collection = format!(
            "/api/v1/namespaces/{}/configmaps",
            self.membership.namespace
        );
        let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": run});
        let object = json!({
            "metadata": {"name": name, "ownerReferences": [owner]},
        });
        let made = self.send(Method::POST, &collection, Some(&object)).await?;
        if !matches!(made.0, 201 | 409) {
            return Err(refused(made));
        }
        let path = format!("{collection}/{name}");
        let data = meeting::announcement(own, &self.membership.pod);
        self.ask(Method::PATCH, &path, Some(&json!({"data": data})))
            .await?;
        Ok(path)
    }

    /// An answer that has to be a good one.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(Value, Option<Timestamp>), Failure> {
        let answer = self.send(method, path, body).await?;
        match answer {
            (200..300, value, date) => Ok((value, date)),
            refusal => Err(refused(refusal)),
        }
    }

    /// Sends until there is an answer. Everything here may be sent twice.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let until = Instant::now() + TROUBLE;
        loop {
            let answer = timeout(PATIENCE, self.exchange(&method, path, body)).await;
            let why = match answer {
                Ok(Ok(answer)) if answer.0 < 500 && answer.0 != 429 => return Ok(answer),
                Ok(Ok((_, value, _))) => value["message"].as_str().unwrap_or_default().to_owned(),
                Ok(Err(error)) => describe(&error),
                Err(_) => format!("no answer within {PATIENCE:?}"),
            };
            if Instant::now() > until {
                return Err(Failure::unreachable(&why));
            }
            sleep(LOOK).await;
        }
    }

    async fn exchange(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, kube::Error> {
        let media_type = match *method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let body = body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default();
        let request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(header::CONTENT_TYPE, media_type)
            .body(Body::from(body))
            .map_err(kube::Error::HttpError)?;
        let (parts, body) = self.cluster.client.send(request).await?.into_parts();
        let date = server_date(&parts.headers);
        let body = body.collect().await?.to_bytes();
        let value = serde_json::from_slice(&body).unwrap_or_default();
        Ok((parts.status.as_u16(), value, date))
    }
}

/// Status, body and `Date`.
type Answer = (u16, Value, Option<Timestamp>);

fn refused((code, value, _): Answer) -> Failure {
    let message = value["message"].as_str().map(str::to_owned);
    let message = message.unwrap_or_else(|| format!("the API server answered {code}"));
    match code {
        401 => Failure::unauthorised(message),
        403 => Failure::denied(message),
        _ => Failure::says(Exit::Unreachable, message),
    }
}

/// Logs the history, with what others need to put it beside theirs.
fn tell(mut history: History, member: Member, clock: Offset) -> Result<(), Failure> {
    if let Some((began, off)) = clock.at(Duration::ZERO) {
        history.header.began = Some(began);
        history.header.uncertainty = u64::try_from(off.as_micros()).unwrap_or(u64::MAX).max(1);
    }
    history.header.member = Some(member);
    output::stream(|out| history.write(out))?;
    Ok(())
}
