//! Everything that can happen next, and what must never be.

use stateright::{Model, Property};

use super::measure::Measure;
use super::process::{Phase, Process, Waiting, Wish};
use super::server::{Age, Answer, At, BEHIND, Call, LATEST, Message, Record, Who, execute};

/// Nobody works while another does, and whoever works is named by the record.
pub(crate) const ONE_HOLDER: &str = "one holder";
/// A PUT does not create a lease that was released.
pub(crate) const NO_RETURN: &str = "no return";
const TAKEN_OVER: &str = "the lease of the dead is taken over";
const OBSERVED: &str = "a lease without stamps is taken over";
const LANDED_LATE: &str = "a lease stands that its sender has given up";
/// A lease whose spec nobody has written for its duration is expired for whoever looks.
pub(crate) const EXPIRY_IN_TIME: &str = "expiry in time";

const PROCESSES: usize = 3;

/// Who else writes the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Other {
    Nobody,
    /// Somebody who labels it, and may switch the stamps off.
    Labels,
    /// A gateway of the old protocol, which takes over by renewTime and its clock.
    Gateway,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Lock {
    out: Option<Measure>,
    other: Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct State {
    record: Option<Record>,
    processes: [Process; PROCESSES],
    /// A request that its sender does not wait for any more, and that may land still.
    late: Option<Message>,
    /// The record is the gateway's.
    is_gateways: bool,
    /// Somebody looked and found what [`EXPIRY_IN_TIME`] excludes.
    was_kept: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Tick,
    /// Begins to acquire.
    Start(usize),
    /// Reads, and sends what follows.
    Look(usize),
    Renew(usize),
    Release(usize),
    /// Ends in whatever state, without clearing up; the request on the way lands later, or never.
    Crash(usize, Fate),
    /// Its request lands.
    Land(usize),
    /// Its answer arrives.
    Answer(usize),
    /// It waits no longer.
    GiveUp(usize, Fate),
    LandLate,
    DropLate,
    Label,
    SwitchStampsOff,
    Take,
}

/// What becomes of a request that nobody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Lost,
    Late,
}

impl Lock {
    pub(crate) fn whole(other: Other) -> Self {
        Self { out: None, other }
    }

    pub(crate) fn without(measure: Measure, other: Other) -> Self {
        Self {
            out: Some(measure),
            other,
        }
    }

    /// Two of the three are pods of one name.
    fn name_of(who: Who) -> bool {
        who.process < 2
    }

    fn is_own(&self, record: &Record, process: usize, is_gateways: bool) -> bool {
        let me = who(process);
        let same_name = Self::name_of(me) && Self::name_of(record.holder);
        !is_gateways && (record.holder == me || self.out == Some(Measure::Nonce) && same_name)
    }

    fn is_expired(&self, record: &Record, process: &Process) -> bool {
        let stamp = match self.out {
            Some(Measure::StampOfTheSpec) if record.is_tracked => Some(record.touched),
            Some(Measure::NoStampNoRule) if !record.is_tracked => Some(record.created),
            _ => record.is_tracked.then_some(record.written),
        };
        match stamp {
            Some(stamp) => stamp.is_expired(),
            None => process.observed.is_some_and(Age::is_expired),
        }
    }

    fn look(&self, state: &mut State, index: usize) {
        let record = state.record;
        let process = &mut state.processes[index];
        let is_own = record.is_some_and(|record| self.is_own(&record, index, state.is_gateways));
        let is_expired = record.is_some_and(|record| self.is_expired(&record, process));
        if record.is_some_and(|record| record.is_tracked && record.written.is_expired())
            && !is_expired
        {
            state.was_kept = true;
        }
        let wish: Wish = process.read(record.as_ref(), is_own, is_expired);
        if let Some((call, at)) = wish {
            process.sends(call, at, who(index));
        }
    }

    fn land(&self, state: &mut State, message: &Message) -> Answer {
        let answer = execute(&mut state.record, message, self.out);
        if answer == Answer::Done {
            state.outdate();
            state.forget_observations();
            state.is_gateways = false;
        }
        answer
    }
}

impl State {
    /// What was the present version is one no more.
    fn outdate(&mut self) {
        let versions = self.processes.iter_mut().flat_map(Process::versions);
        for at in versions.chain(self.late.as_mut().map(|late| &mut late.at)) {
            *at = At::Past;
        }
    }

    fn has_taken_over(&self) -> bool {
        self.processes.iter().any(|process| {
            let is_taking = |waiting: Waiting| {
                waiting.message.call == Call::Put && waiting.answer == Some(Answer::Done)
            };
            process.phase == Phase::Acquiring && process.waiting.is_some_and(is_taking)
        })
    }

    fn forget_observations(&mut self) {
        for process in &mut self.processes {
            process.observed = None;
        }
    }

    /// The process is at another acquisition from now on.
    fn forget(&mut self, index: usize) {
        let process = u8::try_from(index).unwrap_or(u8::MAX);
        let record = self.record.as_mut().map(|record| &mut record.holder);
        let late = self.late.as_mut().map(|late| &mut late.from);
        for who in record.into_iter().chain(late) {
            if who.process == process {
                who.is_current = false;
            }
        }
    }

    /// What a process has sent and does not wait for any more. `None` if this cannot be.
    fn abandon(&mut self, index: usize, fate: Fate) -> Option<()> {
        let waiting = self.processes[index].waiting.take();
        let travelling = waiting.filter(|waiting| waiting.answer.is_none());
        match (fate, travelling) {
            (Fate::Lost, _) => Some(()),
            (Fate::Late, Some(Waiting { message, .. })) if self.late.is_none() => {
                self.late = Some(message);
                Some(())
            }
            (Fate::Late, _) => None,
        }
    }
}

impl Model for Lock {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            record: None,
            processes: [Process::NEW; PROCESSES],
            late: None,
            is_gateways: false,
            was_kept: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let travelling = state.processes.iter().filter_map(|process| process.waiting);
        let travelling = travelling
            .filter(|waiting| waiting.answer.is_none())
            .map(|waiting| waiting.message);
        if travelling
            .chain(state.late)
            .all(|message| message.sent.0 < LATEST)
        {
            actions.push(Action::Tick);
        }
        for (index, process) in state.processes.iter().enumerate() {
            match process.waiting {
                Some(Waiting { answer: None, .. }) => {
                    actions.push(Action::Land(index));
                    actions.push(Action::GiveUp(index, Fate::Lost));
                    actions.push(Action::GiveUp(index, Fate::Late));
                    actions.push(Action::Crash(index, Fate::Late));
                }
                Some(_) => {
                    actions.push(Action::Answer(index));
                    actions.push(Action::GiveUp(index, Fate::Lost));
                }
                None => match process.phase {
                    Phase::Idle => actions.push(Action::Start(index)),
                    Phase::Acquiring | Phase::Releasing => actions.push(Action::Look(index)),
                    Phase::Holding { .. } => {
                        if !process.is_over(self.out) {
                            actions.push(Action::Look(index));
                            actions.push(Action::Renew(index));
                        }
                        actions.push(Action::Release(index));
                    }
                },
            }
            if process.phase != Phase::Idle {
                actions.push(Action::Crash(index, Fate::Lost));
            }
        }
        if state.late.is_some() {
            actions.extend([Action::LandLate, Action::DropLate]);
        }
        match (self.other, &state.record) {
            (Other::Labels, Some(record)) => {
                actions.push(Action::Label);
                if record.is_tracked {
                    actions.push(Action::SwitchStampsOff);
                }
            }
            (Other::Gateway, Some(_)) => actions.push(Action::Take),
            _ => {}
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Tick => state.tick(),
            Action::Start(index) => {
                state.processes[index].phase = Phase::Acquiring;
                state.processes[index].sends(Call::Post, At::Past, who(index));
            }
            Action::Look(index) => {
                self.look(&mut state, index);
                if state.processes[index].phase == Phase::Idle {
                    state.forget(index);
                }
            }
            Action::Renew(index) | Action::Release(index) => {
                let process = &mut state.processes[index];
                let Phase::Holding { at, .. } = process.phase else {
                    return None;
                };
                let is_release = matches!(action, Action::Release(_));
                if is_release {
                    process.phase = Phase::Releasing;
                }
                let call = if is_release { Call::Delete } else { Call::Put };
                process.sends(call, at, who(index));
            }
            Action::Crash(index, fate) => {
                state.abandon(index, fate)?;
                state.processes[index].stop();
                state.forget(index);
            }
            Action::GiveUp(index, fate) => state.abandon(index, fate)?,
            Action::Land(index) => {
                let message = state.processes[index].waiting?.message;
                let answer = self.land(&mut state, &message);
                let waiting = state.processes[index].waiting.as_mut()?;
                waiting.answer = Some(answer);
                if answer == Answer::Done && message.call != Call::Delete {
                    waiting.message.at = At::Present;
                }
            }
            Action::Answer(index) => {
                let Waiting { message, answer } = state.processes[index].waiting.take()?;
                let process = &mut state.processes[index];
                process.answered(message, answer?, self.out);
                if process.phase == Phase::Idle {
                    state.forget(index);
                }
            }
            Action::LandLate => {
                let message = state.late.take()?;
                self.land(&mut state, &message);
            }
            Action::DropLate => state.late = None,
            Action::Label => {
                state.record.as_mut()?.touched = Age::default();
                state.outdate();
            }
            Action::SwitchStampsOff => {
                state.record.as_mut()?.is_tracked = false;
                state.outdate();
            }
            Action::Take => state.taken(self.out)?,
        }
        Some(state.reduced(self.out)).filter(|state| state != last)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(ONE_HOLDER, |lock: &Self, state: &State| {
                let believing = |(index, process): (usize, &Process)| {
                    process.believes(lock.out).then_some(index)
                };
                let mut holders = state.processes.iter().enumerate().filter_map(believing);
                let first = holders.next();
                let stands = |index| {
                    let record = state.record.as_ref();
                    record.is_some_and(|record| record.holder == who(index) && !state.is_gateways)
                };
                holders.next().is_none() && first.is_none_or(stands)
            }),
            Property::always(NO_RETURN, |_: &Self, state: &State| {
                state.record.is_none_or(|record| !record.came_back)
            }),
            Property::always(EXPIRY_IN_TIME, |_: &Self, state: &State| !state.was_kept),
        ];
        if self.out.is_none() {
            // What is never visited proves nothing.
            properties.extend([
                Property::sometimes(TAKEN_OVER, |_: &Self, state: &State| state.has_taken_over()),
                Property::sometimes(LANDED_LATE, |_: &Self, state: &State| {
                    let is_abandoned = |record: Record| !record.holder.is_current;
                    state.record.is_some_and(is_abandoned) && !state.is_gateways
                }),
            ]);
        }
        if self.out.is_none() && self.other == Other::Labels {
            properties.push(Property::sometimes(OBSERVED, |_: &Self, state: &State| {
                let is_tracked = |record: Record| record.is_tracked;
                state.has_taken_over() && !state.record.is_some_and(is_tracked)
            }));
        }
        properties
    }
}

impl State {
    fn tick(&mut self) {
        for process in &mut self.processes {
            process.tick();
        }
        if let Some(late) = &mut self.late {
            late.sent.tick();
        }
        if let Some(record) = &mut self.record {
            record.written.tick();
            record.created.tick();
            record.touched.tick();
        }
    }

    /// The gateway takes the lease over if it is expired by renewTime and the gateway's clock, which is right.
    fn taken(&mut self, out: Option<Measure>) -> Option<()> {
        let record = self.record.as_mut()?;
        let behind = match out {
            Some(Measure::ServerTime) if !self.is_gateways => BEHIND,
            _ => 0,
        };
        if !record.written.after(behind).is_expired() {
            return None;
        }
        record.written = Age::default();
        record.holder.is_current = false;
        self.is_gateways = true;
        self.outdate();
        self.forget_observations();
        Some(())
    }

    /// Without what no rule looks at, so that states that differ in nothing else are one.
    fn reduced(mut self, out: Option<Measure>) -> Self {
        if let Some(record) = &mut self.record {
            if out != Some(Measure::NoStampNoRule) {
                record.created = Age::default();
            }
            if out != Some(Measure::StampOfTheSpec) {
                record.touched = Age::default();
            }
            if !record.holder.is_current && out != Some(Measure::Nonce) {
                record.holder.process = 0;
            }
        }
        for process in &mut self.processes {
            process.reduce();
        }
        let is_guarded = !matches!(out, Some(Measure::Preconditions | Measure::Uid));
        if is_guarded {
            // It can land, but it does nothing.
            self.late = self
                .late
                .filter(|late| late.call == Call::Post || late.at == At::Present);
        }
        if let Some(late) = &mut self.late
            && !late.from.is_current
            && out != Some(Measure::Nonce)
        {
            late.from.process = 0;
        }
        if out != Some(Measure::Nonce) {
            self.sort();
        }
        self
    }

    /// Which process is which does not matter.
    fn sort(&mut self) {
        let refers = |who: Option<Who>, index: usize| who == Some(self::who(index));
        let (holder, late) = (
            self.record.map(|record| record.holder),
            self.late.map(|late| late.from),
        );
        let mut order = [0, 1, 2];
        order.sort_by_key(|&index| {
            let process = self.processes[index];
            (
                process.stripped(),
                refers(holder, index),
                refers(late, index),
            )
        });
        let before = self.processes;
        let moved = |from: Who| {
            let place = order
                .iter()
                .position(|&index| index == usize::from(from.process));
            if from.is_current {
                who(place.unwrap_or(0))
            } else {
                from
            }
        };
        for (place, &index) in order.iter().enumerate() {
            self.processes[place] = before[index];
            if let Some(waiting) = &mut self.processes[place].waiting {
                waiting.message.from = who(place);
            }
        }
        if let Some(record) = &mut self.record {
            record.holder = moved(record.holder);
        }
        if let Some(late) = &mut self.late {
            late.from = moved(late.from);
        }
    }
}

impl Process {
    /// Without its number.
    fn stripped(mut self) -> Self {
        if let Some(waiting) = &mut self.waiting {
            waiting.message.from = who(0);
        }
        self
    }
}

/// What the process is at.
fn who(index: usize) -> Who {
    Who {
        process: u8::try_from(index).unwrap_or(u8::MAX),
        is_current: true,
    }
}
