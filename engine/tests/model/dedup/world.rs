//! Everything that can happen next, and what must never be.

use stateright::{Model, Property};

use super::process::{Phase, Step};
use super::server::{Answer, Life, Message, Requests, SLOTS, execute};

pub(crate) const ONE_ACTIVE: &str = "one active request";
/// answered <= count <= answered + attempts without an answer
pub(crate) const EXACT_COUNT: &str = "exact count";
const ENDS_AND_COMES_AGAIN: &str = "a request ends and another one comes";
const LATE_CREATE_LANDS: &str = "a late CREATE lands";

const PROCESSES: usize = 3;
/// Requests on their way that nobody waits for.
const LATE: usize = 2;
/// Signals of one history.
const SIGNALS: u8 = 3;

/// A safety measure that can be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Whoever creates after the same request uses the same name.
    DeterministicName,
    /// While nobody knows whether a CREATE landed, no other name is tried.
    SameNameWhileUnknown,
    /// A count is written only onto what was read.
    TestInThePatch,
    /// After a count without an answer nothing is decided again.
    OneDecision,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Signals {
    out: Option<Measure>,
    has_deletions: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Process {
    phase: Phase,
    waiting: Option<(Message, Option<Answer>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct State {
    requests: Requests,
    processes: [Process; PROCESSES],
    late: [Option<Message>; LATE],
    signals: u8,
    late_create_landed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// A signal comes.
    Signal(usize),
    /// Reads, and sends what follows.
    GoOn(usize),
    Land(usize),
    Answer(usize),
    /// Waits no longer; what is on its way lands later, or never.
    GiveUp(usize, Fate),
    Crash(usize, Fate),
    LandLate(usize),
    DropLate(usize),
    /// The orchestrator is done with it.
    End(usize),
    Delete(usize),
}

/// What becomes of a request that nobody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Lost,
    Late,
}

impl Signals {
    pub(crate) fn whole() -> Self {
        Self {
            out: None,
            has_deletions: false,
        }
    }

    pub(crate) fn without(measure: Measure) -> Self {
        Self {
            out: Some(measure),
            has_deletions: false,
        }
    }

    pub(crate) fn with_deletions() -> Self {
        Self {
            out: None,
            has_deletions: true,
        }
    }

    fn execute(&self, requests: &mut Requests, message: Message) -> Option<Answer> {
        let is_tested = self.out != Some(Measure::TestInThePatch);
        let is_named = self.out != Some(Measure::DeterministicName);
        execute(requests, message, is_tested, is_named)
    }
}

impl State {
    fn steps(&mut self, index: usize, (phase, step): (Phase, Step)) {
        let before = self.processes[index].phase;
        self.processes[index].phase = phase;
        match step {
            Step::Think => self.closes(before, phase),
            Step::Send(message) => {
                self.closes(before, phase);
                if let (
                    Message::Count { uid, .. },
                    Phase::Counting {
                        is_second: false, ..
                    },
                ) = (message, phase)
                    && let Some(request) = &mut self.requests[usize::from(uid)]
                {
                    request.open += 1;
                }
                self.processes[index].waiting = Some((message, None));
            }
            Step::Answer => {
                if let Phase::Counting { uid, .. } = phase
                    && let Some(request) = &mut self.requests[usize::from(uid)]
                {
                    request.open -= 1;
                    request.answered += 1;
                }
                self.processes[index].phase = Phase::Idle;
            }
            Step::Unknown => self.processes[index].phase = Phase::Idle,
        }
    }

    /// A count that is not waited for any more, and of which it is known that it was not made.
    fn closes(&mut self, before: Phase, after: Phase) {
        if let (Phase::Counting { uid, .. }, false) =
            (before, matches!(after, Phase::Counting { .. }))
            && let Some(request) = &mut self.requests[usize::from(uid)]
        {
            request.open -= 1;
        }
    }

    fn lives(&self) -> [Option<Life>; SLOTS] {
        self.requests
            .map(|request| request.map(|request| request.life))
    }

    fn abandon(&mut self, index: usize, fate: Fate) -> Option<()> {
        let travelling = match self.processes[index].waiting.take() {
            Some((message, None)) => Some(message),
            _ => None,
        };
        if fate == Fate::Late {
            let free = self.late.iter_mut().find(|late| late.is_none())?;
            *free = Some(travelling?);
        }
        Some(())
    }

    /// Without late requests that nothing can come of any more.
    fn reduced(mut self, signals: &Signals) -> Self {
        for late in &mut self.late {
            *late = late.filter(|message| {
                let refused = [Some(Answer::Exists), Some(Answer::Changed)];
                signals.has_deletions
                    || !refused.contains(&signals.execute(&mut self.requests.clone(), *message))
            });
        }
        self
    }

    /// Which process is which does not matter, nor in which order late requests set out.
    fn sorted(mut self) -> Self {
        self.processes.sort_unstable();
        self.late.sort_unstable();
        self
    }
}

impl Model for Signals {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            requests: [None; SLOTS],
            processes: [Process {
                phase: Phase::Idle,
                waiting: None,
            }; PROCESSES],
            late: [None; LATE],
            signals: SIGNALS,
            late_create_landed: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (index, process) in state.processes.iter().enumerate() {
            match (process.waiting, process.phase) {
                (Some((_, None)), _) => {
                    actions.push(Action::Land(index));
                    actions.push(Action::GiveUp(index, Fate::Lost));
                    actions.push(Action::GiveUp(index, Fate::Late));
                    actions.push(Action::Crash(index, Fate::Late));
                }
                (Some(_), _) => {
                    actions.push(Action::Answer(index));
                    actions.push(Action::GiveUp(index, Fate::Lost));
                }
                (None, Phase::Idle) if state.signals > 0 => actions.push(Action::Signal(index)),
                (None, Phase::Idle) => {}
                (None, _) => actions.push(Action::GoOn(index)),
            }
            if process.phase != Phase::Idle {
                actions.push(Action::Crash(index, Fate::Lost));
            }
        }
        for (index, late) in state.late.iter().enumerate() {
            if late.is_some() {
                actions.extend([Action::LandLate(index), Action::DropLate(index)]);
            }
        }
        for (index, request) in state.requests.iter().enumerate() {
            let life = request.map(|request| request.life);
            if life == Some(Life::Active) {
                actions.push(Action::End(index));
            }
            if self.has_deletions && matches!(life, Some(Life::Active | Life::Ended)) {
                actions.push(Action::Delete(index));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Signal(index) => {
                state.signals -= 1;
                state.processes[index].phase = Phase::Deciding;
            }
            Action::GoOn(index) => {
                let next = state.processes[index]
                    .phase
                    .go_on(&state.requests, self.out);
                state.steps(index, next);
            }
            Action::Land(index) => {
                let (message, _) = state.processes[index].waiting?;
                let answer = self.execute(&mut state.requests, message)?;
                state.processes[index].waiting = Some((message, Some(answer)));
            }
            Action::Answer(index) => {
                let (_, answer) = state.processes[index].waiting.take()?;
                let next = state.processes[index].phase.answered(answer?);
                state.steps(index, next);
            }
            Action::GiveUp(index, fate) => state.abandon(index, fate)?,
            Action::Crash(index, fate) => {
                state.abandon(index, fate)?;
                state.processes[index].phase = Phase::Idle;
            }
            Action::LandLate(index) => {
                let message = state.late[index].take()?;
                let answer = self.execute(&mut state.requests, message)?;
                state.late_create_landed |= matches!(answer, Answer::Created { .. });
            }
            Action::DropLate(index) => state.late[index] = None,
            Action::End(index) => state.requests[index].as_mut()?.life = Life::Ended,
            Action::Delete(index) => state.requests[index].as_mut()?.life = Life::Deleted,
        }
        Some(state.reduced(self).sorted()).filter(|state| state != last)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(ONE_ACTIVE, |_: &Self, state: &State| {
                let active = |life: &&Option<Life>| **life == Some(Life::Active);
                state.lives().iter().filter(active).count() <= 1
            }),
            Property::always(EXACT_COUNT, |_: &Self, state: &State| {
                state.requests.iter().flatten().all(|request| {
                    let count = request.count.unwrap_or(0);
                    (request.answered..=request.answered + request.open).contains(&count)
                })
            }),
        ];
        if self.out.is_none() {
            // What is never visited proves nothing.
            properties.extend([
                Property::sometimes(ENDS_AND_COMES_AGAIN, |_: &Self, state: &State| {
                    state.lives()[..3] == [Some(Life::Ended), Some(Life::Ended), Some(Life::Active)]
                }),
                Property::sometimes(LATE_CREATE_LANDS, |_: &Self, state: &State| {
                    state.late_create_landed
                }),
            ]);
        }
        properties
    }
}
