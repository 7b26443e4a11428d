//! A job of any flow, under any engine: what the tests do with it, without its type.

use routilux::prelude::*;
use routilux::sim::Sim;
use routilux::{Clock, Pool, Retention};
use tests::patience::LONG;
use tests::random::plan::Plan;
use tests::tokens::{Log, Token};

/// What a flow that `build.rs` has written gives.
pub(crate) trait Given: Flow + Clone {
    fn made(log: &Log) -> Self;
    fn give(job: &mut Job<Self>, input: usize, token: Token);
    fn started(job: Job<Self>, pool: &Pool) -> Box<dyn AnyHandle>;
}

/// A flow, whatever its type.
pub(crate) trait AnyFlow: Sync {
    fn job(&self, log: &Log, how: How<'_>) -> Box<dyn AnyJob>;
    fn resumed(&self, log: &Log, state: JobState, how: How<'_>) -> Box<dyn AnyJob>;
    fn explore(&self, log: &Log, sim: &Sim, seeds: u64, test: &mut dyn FnMut(&mut dyn AnyJob));
}

/// How a job is made.
#[derive(Clone, Copy)]
pub(crate) struct How<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) clock: Option<&'a Clock>,
    /// Whether it keeps its history, or has its steps written into the log by a hook.
    pub(crate) history: bool,
}

impl How<'_> {
    fn applied<F: Flow>(self, job: Job<F>, log: &Log) -> Job<F> {
        let mut job = job.capacity(self.plan.capacity);
        if let Some(clock) = self.clock {
            job = job.clock(clock.clone());
        }
        match self.history {
            true => job.retention(Retention::unlimited()),
            false => {
                let log = log.clone();
                job.retention(Retention::none()).after_handler(move |_, entry| log.ran(entry))
            }
        }
    }
}

/// A job on one thread.
pub(crate) trait AnyJob {
    fn give(&mut self, input: usize, token: Token);
    fn close(&mut self);
    fn step(&mut self) -> Result<bool, String>;
    fn run(&mut self) -> Result<(), String>;
    fn pause(&mut self);
    fn resume(&mut self);
    fn status(&self) -> Status;
    fn state(&self) -> JobState;
    fn start(self: Box<Self>, pool: &Pool) -> Box<dyn AnyHandle>;
}

/// A job on a pool.
pub(crate) trait AnyHandle: Send + Sync {
    fn give(&self, input: usize, token: Token);
    fn close(&self);
    fn pause(&self);
    fn resume(&self);
    fn cancel(&self);
    fn handled(&self) -> u64;
    fn has_ended(&self) -> bool;
    fn state(&self) -> JobState;
    /// Waits for the end of the run: `None` if it takes too long.
    fn wait(&self) -> Option<Result<Status, String>>;
    fn progress(&self) -> String;
}

pub(crate) struct Of<F>(pub(crate) std::marker::PhantomData<fn() -> F>);

impl<F: Given> AnyFlow for Of<F> {
    fn job(&self, log: &Log, how: How<'_>) -> Box<dyn AnyJob> {
        Box::new(how.applied(F::made(log).job().id("random"), log))
    }

    fn resumed(&self, log: &Log, state: JobState, how: How<'_>) -> Box<dyn AnyJob> {
        Box::new(how.applied(F::made(log).resume(state).unwrap(), log))
    }

    fn explore(&self, log: &Log, sim: &Sim, seeds: u64, test: &mut dyn FnMut(&mut dyn AnyJob)) {
        sim.explore(F::made(log), seeds, |job| test(job));
    }
}

impl<F: Given> AnyJob for Job<F> {
    fn give(&mut self, input: usize, token: Token) {
        F::give(self, input, token);
    }

    fn close(&mut self) {
        self.close_inputs();
    }

    fn step(&mut self) -> Result<bool, String> {
        Job::step(self).map_err(|error| error.to_string())
    }

    fn run(&mut self) -> Result<(), String> {
        Job::run(self).map(drop).map_err(|error| error.to_string())
    }

    fn pause(&mut self) {
        Job::pause(self, "a moment");
    }

    fn resume(&mut self) {
        Job::resume(self).unwrap();
    }

    fn status(&self) -> Status {
        Job::status(self)
    }

    fn state(&self) -> JobState {
        Job::state(self).unwrap()
    }

    fn start(self: Box<Self>, pool: &Pool) -> Box<dyn AnyHandle> {
        F::started(*self, pool)
    }
}

/// What `build.rs` calls for each flow it has written, with its inputs.
macro_rules! of_flow {
    ($flow:ident [$($number:literal $input:ident),*]) => {
        impl $crate::engines::Given for $flow {
            fn made(log: &Log) -> Self {
                $flow::new(log.clone())
            }

            fn give(job: &mut Job<Self>, input: usize, token: Token) {
                match input {
                    $($number => job.inputs().$input(token).unwrap(),)*
                    _ => panic!("there is no input {input}, for {token:?} of {:?}", job.job_id()),
                }
            }

            fn started(job: Job<Self>, pool: &Pool) -> Box<dyn $crate::engines::AnyHandle> {
                Box::new(job.start_on(pool).unwrap())
            }
        }

        impl $crate::engines::AnyHandle for JobHandle<$flow> {
            fn give(&self, input: usize, token: Token) {
                // A job that has failed, and has no room, takes nothing until it goes on.
                while let Err(error) = match input {
                    $($number => self.inputs().$input(token),)*
                    _ => panic!("there is no input {input}, for {token:?} of {:?}", self.job_id()),
                } {
                    assert_eq!(JobHandle::status(self), Status::Failed, "{error}");
                    JobHandle::resume(self).unwrap();
                }
            }

            fn close(&self) {
                self.close_inputs();
            }

            fn pause(&self) {
                JobHandle::pause(self, "a moment");
            }

            fn resume(&self) {
                JobHandle::resume(self).unwrap();
            }

            fn cancel(&self) {
                JobHandle::cancel(self, "moved");
            }

            fn has_ended(&self) -> bool {
                JobHandle::status(self).is_end()
            }

            fn handled(&self) -> u64 {
                self.report().handled()
            }

            fn state(&self) -> JobState {
                JobHandle::state(self).unwrap()
            }

            fn wait(&self) -> Option<Result<Status, String>> {
                let waited = JobHandle::wait(self, $crate::engines::PATIENCE);
                waited.map(|report| report.map(|report| report.status())).map_err(|error| error.to_string()).transpose()
            }

            fn progress(&self) -> String {
                format!("{:#?}", JobHandle::progress(self))
            }
        }
    };
}
pub(crate) use of_flow;

pub(crate) const PATIENCE: std::time::Duration = LONG;

/// All flows, by seed.
macro_rules! flows {
    ($($seed:literal $flow:ident),*) => {
        pub(crate) fn all() -> Vec<(u64, &'static dyn $crate::engines::AnyFlow)> {
            vec![$(($seed, &$crate::engines::Of::<$flow>(std::marker::PhantomData))),*]
        }
    };
}
pub(crate) use flows;
