//! A command under a lease: what happens to one happens to the other.

use std::io;
use std::time::Duration;

use gwlock_engine::client::clock::sleep_until;
use gwlock_engine::client::{Clock as _, LeaseGuard, SystemClock};
use gwlock_engine::protocol::hold::Loss;
use rustix::process::{Pid, Signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::output;
use crate::process::{Change, Deadlines, Group, How, Received, Signals, Terminal};

/// The guard hears of a renewal this soon at the latest.
const LONGEST_TICK: Duration = Duration::from_secs(1);

/// How a command is ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// What it is asked with.
    pub(super) ask: Signal,
    /// How long after that it is killed.
    pub(super) kill_after: Duration,
    /// How often the guard is told of renewals.
    pub(super) tick: Duration,
    /// How long after the last good renewal the lease counts as lost.
    pub(super) renew_deadline: Duration,
}

/// How it went.
#[derive(Debug)]
pub(super) struct Supervised {
    /// How the command ended; `None` when it was not started.
    pub(super) how: Option<How>,
    /// The lease was lost before the command had ended.
    pub(super) loss: Option<Loss>,
}

enum Event {
    Lost(Loss),
    KillTime,
    Child,
    Forward(Signal),
    Tick,
}

/// Starts the command and returns when it and its group are gone.
pub(super) async fn supervise(
    guard: &LeaseGuard,
    group: &mut Group,
    plan: &Plan,
    signals: &mut Signals,
    spawn: impl FnOnce(&mut Group) -> io::Result<Pid>,
) -> io::Result<Supervised> {
    let mut told = tell(guard, group, plan);
    if !guard.is_held() {
        let loss = Some(plan.stood_still());
        return Ok(Supervised { how: None, loss });
    }
    let mut terminal = Terminal::of_stdin();
    if let Some(terminal) = &mut terminal
        && Terminal::is_for_the_command()
    {
        // Before the command starts, so that it never finds itself in the background.
        terminal.give(group.id());
    }
    spawn(group)?;
    let mut ticks = interval(plan.tick.min(LONGEST_TICK));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut how, mut loss, mut has_killed) = (None, None, false);
    while !(how.is_some() && group.is_empty()) {
        let event = tokio::select! {
            biased;
            lost = guard.lost(), if loss.is_none() && how.is_none() => Event::Lost(lost),
            () = sleep_until(&SystemClock, told.kill), if loss.is_some() && !has_killed => Event::KillTime,
            received = signals.next() => match received {
                Received::Child => Event::Child,
                Received::Forward(signal) => Event::Forward(signal),
            },
            _ = ticks.tick() => Event::Tick,
        };
        match event {
            Event::Lost(lost) => {
                tracing::info!("asking the command to end");
                loss = Some(lost);
                told.kill = told.kill.min(SystemClock.now() + plan.kill_after);
                group.signal(plan.ask);
            }
            Event::KillTime => {
                tracing::warn!("killing the command");
                has_killed = true;
                group.kill();
            }
            Event::Child => {
                for change in group.reap() {
                    match change {
                        Change::Ended(ended) => {
                            // Where this process stood still, the guard may have ended it.
                            let was_late = SystemClock.now() >= told.ask;
                            if loss.is_none() && (was_late || !guard.is_held()) {
                                loss = Some(plan.stood_still());
                            }
                            how = Some(ended);
                            if let Some(terminal) = &mut terminal {
                                terminal.take_back();
                            }
                            has_killed = true;
                            group.kill();
                        }
                        Change::Stopped(number) => stopped(number, group, terminal.as_mut()),
                        Change::Unguarded if !has_killed && how.is_none() => output::note(
                            "warning: the guard process is gone: the command is not ended if gwlock is killed",
                        ),
                        Change::Unguarded => {}
                    }
                }
            }
            Event::Forward(signal) => {
                tracing::info!("passing signal {} on", signal.as_raw());
                group.signal(signal);
            }
            Event::Tick => {
                if loss.is_none() && guard.is_held() {
                    told = tell(guard, group, plan);
                }
            }
        }
    }
    Ok(Supervised { how, loss })
}

impl Plan {
    /// The loss of a lease that nobody has seen yet, because this process did not run when it happened.
    fn stood_still(&self) -> Loss {
        Loss::RenewDeadline {
            after: self.renew_deadline,
            trouble: Some("gwlock stood still".to_owned()),
        }
    }
}

/// Tells the guard until when the command may live.
fn tell(guard: &LeaseGuard, group: &mut Group, plan: &Plan) -> Deadlines {
    // In this order a pause in between makes the deadlines earlier, never later.
    let now = SystemClock.now();
    let stop_by = now + guard.remaining();
    let kill = stop_by + plan.kill_after;
    // This process is first; the guard acts when it does not.
    let ask = stop_by + plan.kill_after / 2;
    let deadlines = Deadlines { ask, kill };
    group.tell(deadlines);
    deadlines
}

/// A command that was stopped while somebody is at the terminal: it wanted the terminal, or Ctrl-Z was typed.
fn stopped(number: i32, group: &Group, terminal: Option<&mut Terminal>) {
    let Some(terminal) = terminal else {
        return;
    };
    let wants_it = [Signal::TTIN.as_raw(), Signal::TTOU.as_raw()].contains(&number);
    if !wants_it && !terminal.is_given() {
        // Somebody sent the signal from elsewhere, and will let it go on.
        return;
    }
    if !(wants_it && !terminal.is_given() && terminal.give(group.id())) {
        output::note(
            "stopped; the lease is not renewed meanwhile, and the command is ended before it expires",
        );
        terminal.suspend();
        terminal.give(group.id());
    }
    group.signal(Signal::CONT);
}
