//! A job written down: all of it as data, for any serde format, and as a file that is whole or not there.

use super::history::{History, HistoryEntry, Reconfigured, Retention};
use super::value::{Value, ValueError};
use super::{Absorbed, Failed, Job, JobId, Request, Status};
use crate::clock::Tick;
use crate::engine::{Agenda, Due, Fifo, SavedParcel, Tally, Waiting};
use crate::error::{Error, Result, catch};
use crate::flow::Flow;
use routilux_graph::{Graph, When};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The version of what `JobState` serialises as. A newer one is refused, an older one is read.
const FORMAT: u32 = 2;

/// A job as data: its status, the state of its routines, what its slots keep, the deliveries that wait, what is to happen later, the
/// outputs not yet taken, its result and its history. It is had of a job between two steps: after [`Job::step`],
/// [`Job::run_until_idle`] or a pause; and of one that runs on threads at any time, from [`JobHandle::state`](crate::JobHandle::state).
/// The flow's `resume(state)` goes on with it, also where it was paused or had failed: the job then need not be resumed again. Not in it: configuration and resources, which are those of
/// the flow that goes on with it.
///
/// It serialises with any serde format; [`save`](Self::save) and [`load`](Self::load) are for files.
///
/// ```
/// # use routilux::prelude::*;
/// # #[routine] struct Sum { #[state] total: u64 }
/// # #[routine] impl Sum {
/// #     #[event] fn so_far(total: u64);
/// #     #[slot] fn add(&mut self, n: u64, out: &mut Emit<Self>) { self.total += n; out.so_far(self.total); }
/// # }
/// # flow! { flow Sums() { sum: Sum; in number -> sum.add; sum.so_far -> out total; } }
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("jobs/sums.json");
/// let mut job = Sums::new().job();
/// job.inputs().number(1)?;
/// job.inputs().number(2)?;
/// job.step()?;
/// job.pause("moving house");
/// job.state()?.save(&path)?;
/// drop(job);
///
/// // In another process:
/// let mut job = Sums::new().resume(JobState::load(&path)?)?;
/// let report = job.run()?;
/// assert_eq!(report.status(), Status::Completed);
/// assert_eq!(job.outputs().total().collect::<Vec<_>>(), [1, 3]);
/// # Ok::<(), routilux::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobState {
    // First, so that a newer version is noticed before what it may have changed.
    #[serde(deserialize_with = "known_format")]
    format: u32,
    flow: String,
    job: JobId,
    status: Status,
    reason: Option<String>,
    inputs_closed: bool,
    handled: u64,
    further_results: u64,
    next_delivery: u64,
    next_sequence: u64,
    wiring: Wiring,
    retention: Retention,
    routines: BTreeMap<String, Value>,
    slots: BTreeMap<String, Value>,
    waiting: Vec<SavedDelivery>,
    failure: Option<SavedFailure>,
    outputs: BTreeMap<String, Value>,
    result: Option<Value>,
    history: Vec<HistoryEntry>,
    reconfigured: Vec<Reconfigured>,
    // From format 2 on.
    /// What is to happen later.
    #[serde(default)]
    later: Vec<SavedLater>,
    /// The slots that waited until nothing could come any more, and were told so.
    #[serde(default)]
    closed: Vec<String>,
    /// How often bounded loops were taken, by connection.
    #[serde(default)]
    loops: BTreeMap<String, u64>,
    #[serde(default)]
    tally: Tally,
    #[serde(default)]
    absorbed: Vec<Absorbed>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedLater {
    /// In milliseconds since the Unix epoch.
    due: u64,
    what: SavedDue,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum SavedDue {
    /// The next attempt at a delivery.
    Retry { delivery: SavedDelivery, in_order: bool },
    /// A delivery without an id yet: to a source, or to a join.
    Again { to: String, payload: Value, is_work: bool },
    /// Events that leave once. The name is that of a routine, and one of its own.
    Events { name: Option<(String, String)>, parcel: SavedParcel },
    /// Events that leave each time so many milliseconds have passed.
    Every { name: Option<(String, String)>, period: u64, parcel: SavedParcel },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedDelivery {
    id: u64,
    /// `routine.slot`
    to: String,
    attempts: u32,
    payload: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedFailure {
    what: String,
    refusal: Option<String>,
    delivery: Option<SavedDelivery>,
}

/// What has to be the same in the flow that goes on with a job. Order is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wiring {
    /// The type of each routine, by id.
    routines: BTreeMap<String, String>,
    /// The type and merge of each slot, by `routine.slot`.
    slots: BTreeMap<String, String>,
    /// As they are written in the flow.
    connections: BTreeSet<String>,
}

impl Wiring {
    fn of(graph: &Graph) -> Self {
        let graph = &graph.flattened();
        let slots = graph.routines.iter().flat_map(|routine| {
            let slots = routine.slots.iter();
            slots.map(|slot| {
                let mut what = format!("{} ({})", slot.payload, slot.merge);
                if slot.when != When::Each {
                    what = format!("{} ({}, when {})", slot.payload, slot.merge, slot.when);
                }
                (format!("{}.{}", routine.id, slot.name), what)
            })
        });
        Wiring {
            routines: graph.routines.iter().map(|r| (r.id.clone(), r.type_name.clone())).collect(),
            slots: slots.collect(),
            connections: graph.connections.iter().map(|connection| connection.to_string()).collect(),
        }
    }

    /// What the flow has otherwise than the saved job, in words.
    fn differences(&self, now: &Wiring) -> Vec<String> {
        let mut told = Vec::new();
        compare("routine", &self.routines, &now.routines, &mut told);
        // The slots of a routine that is itself another are no news.
        let same = |(slot, _): &(&String, &String)| {
            let id = slot.rsplit_once('.').map_or("", |(id, _)| id);
            self.routines.get(id) == now.routines.get(id)
        };
        let ours = self.slots.iter().filter(same).map(|(k, v)| (k.clone(), v.clone())).collect();
        let theirs = now.slots.iter().filter(same).map(|(k, v)| (k.clone(), v.clone())).collect();
        compare("slot", &ours, &theirs, &mut told);
        told.extend(
            self.connections.difference(&now.connections).map(|gone| format!("the flow has no `{gone}` now")),
        );
        told.extend(
            now.connections.difference(&self.connections).map(|new| format!("the flow has a new `{new}`")),
        );
        told
    }
}

fn compare(
    what: &str,
    saved: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
    told: &mut Vec<String>,
) {
    for (name, was) in saved {
        match now.get(name) {
            None => told.push(format!("the flow has no {what} `{name}` now")),
            Some(is) if is != was => told.push(format!("the {what} `{name}` was `{was}` and is `{is}` now")),
            Some(_) => {}
        }
    }
    told.extend(
        now.keys()
            .filter(|name| !saved.contains_key(*name))
            .map(|name| format!("the flow has a new {what} `{name}`")),
    );
}

fn known_format<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<u32, D::Error> {
    let format = u32::deserialize(deserializer)?;
    match format {
        1..=FORMAT => Ok(format),
        _ => Err(serde::de::Error::custom(format_args!(
            "it is of format {format}, and this version of routilux reads up to format {FORMAT}; use a newer one"
        ))),
    }
}

/// A saved file: the state, and a checksum of its text, so that damage is noticed wherever it is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedFile<'a> {
    checksum: String,
    #[serde(borrow)]
    state: &'a RawValue,
}

fn checksum(text: &str) -> String {
    format!("crc32:{:08x}", crc32fast::hash(text.as_bytes()))
}

impl JobState {
    /// The name of the flow that the job is of.
    pub fn flow(&self) -> &str {
        &self.flow
    }

    /// The job's id.
    pub fn job_id(&self) -> &JobId {
        &self.job
    }

    /// The job's status when it was written down.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Why it was paused or cancelled.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// What failed, if the job has failed.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_ref().map(|failure| failure.what.as_str())
    }

    /// How many deliveries were handled.
    pub fn handled(&self) -> u64 {
        self.handled
    }

    /// How many deliveries wait, the one that failed among them.
    pub fn waiting(&self) -> usize {
        let failed = self.failure.as_ref().and_then(|failure| failure.delivery.as_ref());
        self.waiting.len() + usize::from(failed.is_some())
    }

    /// The history, oldest first.
    pub fn history(&self) -> &[HistoryEntry] {
        &self.history
    }

    /// The last changes of the job's configuration, a hundred at most, oldest first.
    pub fn reconfigured(&self) -> &[Reconfigured] {
        &self.reconfigured
    }

    /// The history of one routine, by its id.
    pub fn history_of<'a>(&'a self, routine: &'a str) -> impl Iterator<Item = &'a HistoryEntry> + 'a {
        self.history.iter().filter(move |entry| entry.routine == routine)
    }

    /// Writes the job to a file, as JSON. Folders that are missing are made. The file is replaced whole: if
    /// anything fails, or the machine stops in the middle, what was there before is still there.
    ///
    /// # Errors
    /// [`Error::Serialization`] with the path, if the file or a folder cannot be written, or if what is there is
    /// no plain file: a folder, a device, a pipe.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let failed = |source| serialization("the job could not be saved", path, source);
        let state = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        let state = RawValue::from_string(state).map_err(|error| failed(error.into()))?;
        let file = SavedFile { checksum: checksum(state.get()), state: &state };
        let text = serde_json::to_string_pretty(&file).map_err(|error| failed(error.into()))?;
        replace(path, &text).map_err(|error| failed(error.into()))
    }

    /// Reads a job that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// [`Error::Serialization`] with the path, if the file cannot be read, is no saved job, was cut off or changed
    /// since it was saved, or was written by a newer version of routilux. Whether the job fits a flow is found when
    /// that flow resumes it; that error names the job, not the file.
    pub fn load(path: impl AsRef<Path>) -> Result<JobState> {
        let path = path.as_ref();
        let bytes = std::fs::read(path)
            .map_err(|error| serialization("the saved job could not be read", path, error.into()))?;
        let damaged = |source| serialization("this is no saved job, or a damaged one", path, source);
        let text = std::str::from_utf8(&bytes).map_err(|error| damaged(error.into()))?;
        let file: SavedFile<'_> = serde_json::from_str(text).map_err(|error| damaged(error.into()))?;
        // A newer format may be checked in another way, so its number is looked at before the checksum.
        #[derive(Deserialize)]
        struct Head {
            #[serde(rename = "format", deserialize_with = "known_format")]
            _format: u32,
        }
        let _: Head =
            serde_json::from_str(file.state.get()).map_err(|error| damaged(without_place(error).into()))?;
        if file.checksum != checksum(file.state.get()) {
            return Err(damaged("its text was changed after it was saved: the checksum does not fit".into()));
        }
        serde_json::from_str(file.state.get()).map_err(|error| damaged(without_place(error).into()))
    }
}

/// The message without line and column, which would count from the middle of the file.
fn without_place(error: serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}

fn serialization(what: &str, path: &Path, source: crate::error::BoxError) -> Error {
    Error::Serialization { what: what.to_owned(), path: Some(path.to_owned()), source: Some(source) }
}

/// Puts `text` in the place of the file, whole or not at all.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // What a link points to is replaced, not the link.
    let path: PathBuf = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(&path).is_ok_and(|known| !known.is_file()) {
        return Err(std::io::Error::other("what is there is no plain file, and is not replaced"));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".routilux-");
    #[cfg(unix)]
    {
        // As any new file: what the user's mask leaves of it.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(|error| {
        // The name of the temporary file is of no use to anyone.
        let what = format!("no file can be made in the folder `{}` ({})", folder.display(), error.kind());
        std::io::Error::new(error.kind(), what)
    })?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// What a job is at a moment when no handler runs, whatever engine it is under.
pub(crate) struct Facts<'a, F: Flow> {
    pub(crate) job: &'a JobId,
    pub(crate) status: Status,
    pub(crate) reason: Option<String>,
    pub(crate) inputs_closed: bool,
    pub(crate) handled: u64,
    pub(crate) cells: &'a F::Cells,
    pub(crate) outbound: &'a F::Outbound,
    pub(crate) next_delivery: u64,
    /// Id, attempts so far, delivery; in the order in which they are handled one by one.
    pub(crate) waiting: Vec<(u64, u32, &'a F::Delivery)>,
    pub(crate) failure: Option<&'a Failed<F::Delivery>>,
    pub(crate) history: &'a History,
    pub(crate) now: Tick,
    pub(crate) retention: Retention,
    pub(crate) agenda: &'a Agenda<F>,
    /// The numbers of the closers that have fired.
    pub(crate) fired: Vec<usize>,
    pub(crate) tally: Tally,
    pub(crate) absorbed: Vec<Absorbed>,
}

impl<F: Flow> Facts<'_, F> {
    pub(crate) fn written_down(self) -> Result<JobState> {
        let failure = self.failure.map(|failed| {
            let delivery =
                failed.delivery.as_ref().map(|d| saved_delivery::<F>(d.id, d.attempts, &d.delivery));
            Ok(SavedFailure {
                what: failed.what.clone(),
                refusal: failed.refusal.clone(),
                delivery: delivery.transpose()?,
            })
        });
        let result = F::__result(self.outbound);
        Ok(JobState {
            format: FORMAT,
            flow: F::NAME.to_owned(),
            job: self.job.clone(),
            status: self.status,
            reason: self.reason,
            inputs_closed: self.inputs_closed,
            handled: self.handled,
            further_results: result.map_or(0, |result| result.further()),
            next_delivery: self.next_delivery,
            next_sequence: self.history.next_sequence(),
            wiring: Wiring::of(&F::graph()),
            retention: self.retention,
            routines: F::routines(self.cells)
                .into_iter()
                .zip(&F::shape().routines)
                .map(|(part, id)| {
                    Ok(((*id).to_owned(), saved(&format!("the state of `{id}`"), || part.save())?))
                })
                .collect::<Result<_>>()?,
            slots: F::shape()
                .keeping
                .iter()
                .map(|&slot| {
                    let name = slot_name::<F>(slot);
                    let value = saved(&format!("what the slot `{name}` keeps"), || {
                        F::save_contents(self.cells, slot)
                    });
                    Ok((name, value?))
                })
                .collect::<Result<_>>()?,
            waiting: self
                .waiting
                .into_iter()
                .map(|(id, attempts, delivery)| saved_delivery::<F>(id, attempts, delivery))
                .collect::<Result<_>>()?,
            failure: failure.transpose()?,
            outputs: F::outbound(self.outbound)
                .into_iter()
                .map(|(name, part)| {
                    Ok((name.to_owned(), saved(&format!("the output `{name}`"), || part.save())?))
                })
                .collect::<Result<_>>()?,
            result: result
                .and_then(|result| result.save())
                .map(|value| saved("the result", || value))
                .transpose()?,
            history: self.history.iter(self.now).collect(),
            reconfigured: self.history.reconfigured().to_vec(),
            later: self.agenda.iter().map(|(due, what)| saved_later(due, what)).collect::<Result<_>>()?,
            closed: self
                .fired
                .iter()
                .map(|number| F::shape().name(F::shape().closers.closers[*number].slot))
                .collect(),
            loops: F::loops(&F::ways(self.cells))
                .into_iter()
                .map(|(name, bound)| (name, bound.get()))
                .collect(),
            tally: self.tally,
            absorbed: self.absorbed,
        })
    }
}

impl<F: Flow> Job<F> {
    /// The job as data, as it is now: between two steps it is whole.
    ///
    /// # Errors
    /// [`Error::Serialization`], with the routine, slot or output, if a type of the user's does not serialise.
    pub fn state(&self) -> Result<JobState> {
        // What was asked for and will be done before the next delivery goes with the job.
        let (status, reason) = match self.cx.control.pending() {
            Some(Request::Cancel(reason)) if !self.status.is_end() => (Status::Cancelled, Some(reason)),
            Some(Request::Pause(reason)) if !self.status.is_end() && self.status != Status::Paused => {
                (Status::Paused, Some(reason))
            }
            _ => (self.status, self.reason.clone()),
        };
        let aside = self.care.aside().map(|waiting| (waiting.id, waiting.attempts, &waiting.delivery));
        let mut waiting: Vec<_> = self.post.queue.iter().collect();
        if self.is_counted {
            waiting.extend(aside);
            // What was put aside is where it was, and retries are the first again when they were.
            waiting.sort_by_key(|(id, ..)| *id);
        }
        Facts::<F> {
            job: &self.cx.job,
            status,
            reason,
            inputs_closed: self.inputs_closed,
            handled: self.handled(),
            cells: &self.cells,
            outbound: &self.post.outbound,
            next_delivery: self.post.queue.next_id(),
            waiting,
            failure: self.failure.as_ref(),
            history: &self.history,
            now: self.cx.clock.tick(),
            retention: self.retention,
            agenda: &self.care.agenda,
            fired: self.care.closing.fired(),
            tally: self.post.tally,
            absorbed: self.care.absorbed.iter().cloned().collect(),
        }
        .written_down()
    }

    /// A job that goes on where the saved one stood.
    pub(crate) fn restore(flow: &F, state: JobState) -> Result<Job<F>> {
        let mut job = Job::new(flow);
        job.load(state)?;
        job.resume()?;
        if job.status.is_end() {
            F::close_live(&job.cells);
        }
        Ok(job)
    }

    /// Makes the saved job of a new one, and leaves it in the status that it had.
    pub(crate) fn load(&mut self, state: JobState) -> Result<()> {
        let job = self;
        job.cx.job = state.job.clone();
        job.check_wiring(&state)?;
        job.retention = state.retention;
        job.history = History::new(&F::shape().slots, state.retention);
        job.history.restore_reconfigured(state.reconfigured);
        let refuse = |what: String| Error::State { job: state.job.to_string(), what };
        job.history.restore(state.next_sequence, state.history).map_err(&refuse)?;
        // No job comes near to that: numbers that leave no room to count on are not its own.
        if state.next_delivery == 0 || state.next_delivery.max(state.next_sequence) > u64::MAX / 2 {
            return Err(refuse("its deliveries or runs are numbered as no job numbers them".into()));
        }
        match state.status {
            Status::Completed if !state.waiting.is_empty() => {
                return Err(refuse("it is completed, and deliveries wait".into()));
            }
            Status::Failed if state.failure.is_none() => {
                return Err(refuse("it is failed, and says not with what".into()));
            }
            _ => {}
        }
        let mut seen = BTreeSet::new();
        let mut known_id = |id: u64| match id < state.next_delivery && seen.insert(id) {
            true => Ok(()),
            false => Err(refuse(format!("its delivery {id} is numbered twice, or never was"))),
        };
        let mut waiting = VecDeque::with_capacity(state.waiting.len());
        for saved in state.waiting {
            known_id(saved.id)?;
            waiting.push_back(loaded_delivery::<F>(saved)?);
        }
        if let Some(failure) = state.failure {
            let delivery = match failure.delivery {
                Some(saved) => {
                    known_id(saved.id)?;
                    Some(loaded_delivery::<F>(saved)?)
                }
                None => None,
            };
            job.failure = Some(Failed { what: failure.what, refusal: failure.refusal, delivery });
        }
        job.post.queue = Fifo::restored(waiting, state.next_delivery);
        match F::__result_mut(&mut job.post.outbound) {
            Some(slot) => {
                slot.set_further(state.further_results);
                if let Some(value) = state.result {
                    loaded("the result", || slot.load(value))?;
                }
            }
            None if state.result.is_some() => {
                return Err(refuse("it has a result, and the flow has no `return`".into()));
            }
            None => {}
        }
        let routines = F::shape().routines.iter().copied().zip(F::routines_mut(&mut job.cells)).collect();
        load_parts("the state of", state.routines, routines)?;
        let keeping = F::shape().keeping.iter().map(|slot| (slot_name::<F>(*slot), *slot)).collect();
        load_each("what the slot keeps,", state.slots, keeping, |slot, value| {
            F::load_contents(&mut job.cells, slot, value)
        })?;
        load_parts("the output", state.outputs, F::outbound_mut(&mut job.post.outbound))?;
        let runs = state.next_sequence.saturating_sub(1);
        job.faults = runs
            .checked_sub(state.handled)
            .ok_or_else(|| refuse("it has handled more than it has run".into()))?;
        job.inputs_closed = state.inputs_closed;
        for later in state.later {
            let (due, what) = loaded_later::<F>(later, &mut known_id)?;
            job.care.agenda.add(due, what);
        }
        let ways = F::ways(&job.cells);
        let mut loops = state.loops;
        for (name, bound) in F::loops(&ways) {
            bound.set(loops.remove(&name).unwrap_or_default());
        }
        job.post.tally = state.tally;
        job.care.absorbed = state.absorbed.into();
        let closers = &F::shape().closers.closers;
        let fired: Vec<usize> = (0..closers.len())
            .filter(|number| state.closed.contains(&F::shape().name(closers[*number].slot)))
            .collect();
        job.care.take_aside();
        job.recount(&fired);
        job.status = state.status;
        job.reason = state.reason;
        Ok(())
    }

    fn check_wiring(&self, state: &JobState) -> Result<()> {
        if state.flow != F::NAME {
            return Err(self.error_of(format!(
                "it is a job of the flow `{}`, not of `{}`",
                state.flow,
                F::NAME
            )));
        }
        let differences = state.wiring.differences(&Wiring::of(&F::graph()));
        match differences.is_empty() {
            true => Ok(()),
            false => {
                let list = differences.join("\n  ");
                Err(self.error_of(format!(
                    "the flow `{}` was wired otherwise when the job was saved:\n  {list}",
                    F::NAME
                )))
            }
        }
    }
}

fn slot_name<F: Flow>(slot: usize) -> String {
    let (routine, slot) = F::shape().slots[slot];
    format!("{routine}.{slot}")
}

/// The user's `Serialize` may fail, and may panic.
fn saved(what: &str, save: impl FnOnce() -> std::result::Result<Value, ValueError>) -> Result<Value> {
    caught(&format!("{what} could not be saved"), save)
}

fn loaded<T>(what: &str, load: impl FnOnce() -> std::result::Result<T, ValueError>) -> Result<T> {
    caught(&format!("{what} could not be read back"), load)
}

fn caught<T>(what: &str, run: impl FnOnce() -> std::result::Result<T, ValueError>) -> Result<T> {
    let source = match catch(run) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.into(),
        Err(panic) => panic.message.into(),
    };
    Err(Error::Serialization { what: what.to_owned(), path: None, source: Some(source) })
}

fn saved_delivery<F: Flow>(id: u64, attempts: u32, delivery: &F::Delivery) -> Result<SavedDelivery> {
    let to = slot_name::<F>(F::slot_of(delivery));
    let payload = saved(&format!("delivery {id} to `{to}`"), || F::save_delivery(delivery))?;
    Ok(SavedDelivery { id, to, attempts, payload })
}

fn loaded_delivery<F: Flow>(saved: SavedDelivery) -> Result<Waiting<F::Delivery>> {
    let SavedDelivery { id, to, attempts, payload } = saved;
    let what = format!("delivery {id} to `{to}`");
    let slot = F::shape().slot(&to);
    let delivery = loaded(&what, || match slot {
        Some(slot) => F::load_delivery(slot, payload),
        None => Err(ValueError("the flow has no such slot".into())),
    })?;
    Ok(Waiting { id, attempts, delivery })
}

fn named<F: Flow>(name: &Option<(usize, String)>) -> Option<(String, String)> {
    name.as_ref().map(|(routine, name)| (F::shape().routines[*routine].to_owned(), name.clone()))
}

fn saved_later<F: Flow>(due: u64, what: &Due<F>) -> Result<SavedLater> {
    let what = match what {
        Due::Retry { waiting, in_order } => SavedDue::Retry {
            delivery: saved_delivery::<F>(waiting.id, waiting.attempts, &waiting.delivery)?,
            in_order: *in_order,
        },
        Due::Again { delivery, is_work } => {
            let SavedDelivery { to, payload, .. } = saved_delivery::<F>(0, 0, delivery)?;
            SavedDue::Again { to, payload, is_work: *is_work }
        }
        Due::Events { name, parcel } => {
            SavedDue::Events { name: named::<F>(name), parcel: SavedParcel::of(parcel)? }
        }
        Due::Every { name, period, parcel } => {
            SavedDue::Every { name: named::<F>(name), period: *period, parcel: parcel.clone() }
        }
    };
    Ok(SavedLater { due, what })
}

fn loaded_later<F: Flow>(
    saved: SavedLater,
    known_id: &mut impl FnMut(u64) -> Result<()>,
) -> Result<(u64, Due<F>)> {
    let name = |name: Option<(String, String)>| {
        name.map(|(routine, name)| {
            let known = F::shape().routines.iter().position(|known| *known == routine);
            let unknown = || ValueError(format!("the flow has no routine `{routine}`"));
            loaded("what is to happen later", || Ok((known.ok_or_else(unknown)?, name)))
        })
        .transpose()
    };
    let what = match saved.what {
        SavedDue::Retry { delivery, in_order } => {
            known_id(delivery.id)?;
            Due::Retry { waiting: loaded_delivery::<F>(delivery)?, in_order }
        }
        SavedDue::Again { to, payload, is_work } => {
            let delivery = loaded_delivery::<F>(SavedDelivery { id: 0, to, attempts: 0, payload })?.delivery;
            Due::Again { delivery, is_work }
        }
        SavedDue::Events { name: of, parcel } => {
            let parcel = loaded("an event that is to leave later", || parcel.open::<F>())?;
            Due::Events { name: name(of)?, parcel: Box::new(parcel) }
        }
        SavedDue::Every { period: 0, .. } => {
            return loaded("what is repeated", || Err(ValueError("it has no period".into())));
        }
        SavedDue::Every { name: of, period, parcel } => Due::Every { name: name(of)?, period, parcel },
    };
    Ok((saved.due, what))
}

fn load_parts(
    what: &str,
    saved: BTreeMap<String, Value>,
    parts: Vec<(&'static str, super::part::PartMut<'_>)>,
) -> Result<()> {
    let parts = parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect();
    load_each(what, saved, parts, |part, value| part.load(value))
}

/// Gives each part what was saved under its name: none may be missing, and nothing be left over.
fn load_each<P>(
    what: &str,
    mut saved: BTreeMap<String, Value>,
    parts: Vec<(String, P)>,
    mut load: impl FnMut(P, Value) -> std::result::Result<(), ValueError>,
) -> Result<()> {
    for (name, part) in parts {
        let value = saved.remove(&name);
        loaded(&format!("{what} `{name}`"), || {
            load(part, value.ok_or_else(|| ValueError("it is not in the saved job".into()))?)
        })?;
    }
    match saved.pop_first() {
        None => Ok(()),
        Some((name, _)) => {
            loaded(&format!("{what} `{name}`"), || Err(ValueError("the flow has no such thing".into())))
        }
    }
}
