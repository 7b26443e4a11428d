//! A job is data: it is saved, moved and resumed, in any serde format, and what does not fit is refused in words.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Error, Retention};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A payload with everything that JSON cannot say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    value: f64,
    at: (u8, Option<Option<i64>>),
    wide: u128,
    kind: Kind,
    tags: BTreeMap<u32, char>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    Unit,
    New(Box<Kind>),
    Tuple(i8, String),
    Struct { deep: Vec<()> },
}

fn readings() -> Vec<Reading> {
    let reading = |value, inner, wide, kind| Reading {
        value,
        at: (1, inner),
        wide,
        kind,
        tags: BTreeMap::from([(7, 'x'), (u32::MAX, '"')]),
    };
    vec![
        reading(f64::INFINITY, None, u128::MAX, Kind::Unit),
        reading(0.1 + 0.2, Some(None), 0, Kind::New(Box::new(Kind::Unit))),
        reading(-0.0, Some(Some(i64::MIN)), 1 << 64, Kind::Tuple(-1, "$map".into())),
        reading(f64::MIN_POSITIVE, None, 7, Kind::Struct { deep: vec![(), ()] }),
    ]
}

#[routine]
struct Meter {
    scale: f64,
    #[state]
    by_place: HashMap<(u8, Option<Option<i64>>), f64>,
    #[state]
    last: Option<Reading>,
}

#[routine]
impl Meter {
    #[event]
    fn checked(reading: Reading);

    #[slot]
    fn reading(&mut self, reading: Reading, out: &mut Emit<Self>) {
        *self.by_place.entry(reading.at).or_default() += reading.value * self.scale;
        self.last = Some(reading.clone());
        out.checked(reading);
    }
}

#[routine]
struct Collect;

#[routine]
impl Collect {
    #[event]
    fn all(readings: Vec<Reading>);

    #[slot(merge = "append")]
    fn reading(&self, readings: &[Reading], out: &mut Emit<Self>) {
        if readings.len() == 4 {
            out.all(readings.to_vec());
        }
    }
}

flow! {
    flow Meters(scale: f64) {
        meter: Meter { scale };
        collect: Collect;
        in reading -> meter.reading;
        meter.checked -> collect.reading, out checked;
        collect.all -> return;
    }
}

/// A job stopped with something everywhere: state, slot contents, waiting deliveries, outputs, history.
fn stopped() -> Job<Meters> {
    let mut job = Meters::new(1.0).job();
    readings().into_iter().for_each(|reading| job.inputs().reading(reading).unwrap());
    (0..6).for_each(|_| assert!(job.step().unwrap()));
    job.pause("for the night");
    job
}

fn finishes_as_if_unbroken(mut job: Job<Meters>) {
    assert_eq!(job.status(), Status::Running);
    let report = job.run().unwrap();
    assert_eq!(report.status(), Status::Completed);
    assert_eq!(report.handled(), 8);
    assert_eq!(report.result().unwrap(), &readings());
    assert_eq!(job.outputs().checked().collect::<Vec<_>>(), readings());
    assert_eq!(job.history().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn any_serde_format_will_do() {
    let state = stopped().state().unwrap();
    let resume = |state| Meters::new(1.0).resume(state).unwrap();

    let json = serde_json::to_string(&state).unwrap();
    finishes_as_if_unbroken(resume(serde_json::from_str(&json).unwrap()));
    finishes_as_if_unbroken(resume(serde_json::from_value(serde_json::to_value(&state).unwrap()).unwrap()));

    let postcard = postcard::to_stdvec(&state).unwrap();
    finishes_as_if_unbroken(resume(postcard::from_bytes(&postcard).unwrap()));

    for pack in [rmp_serde::to_vec(&state).unwrap(), rmp_serde::to_vec_named(&state).unwrap()] {
        finishes_as_if_unbroken(resume(rmp_serde::from_slice(&pack).unwrap()));
    }

    let mut cbor = Vec::new();
    ciborium::into_writer(&state, &mut cbor).unwrap();
    finishes_as_if_unbroken(resume(ciborium::from_reader(cbor.as_slice()).unwrap()));

    assert!(postcard.len() < json.len());
}

#[test]
fn a_saved_job_tells_about_itself() {
    let job = stopped();
    let state = job.state().unwrap();
    assert_eq!(state.flow(), "Meters");
    assert_eq!(state.job_id(), job.job_id());
    assert_eq!((state.status(), state.reason()), (Status::Paused, Some("for the night")));
    assert_eq!((state.handled(), state.waiting(), state.failure()), (6, 2, None));
    assert_eq!(state.history().len(), 6);
    assert_eq!(state.history_of("collect").count(), 2);
}

#[test]
fn configuration_is_the_new_flows_and_state_the_saved_one() {
    let state = stopped().state().unwrap();
    let mut job = Meters::new(1000.0).resume(state).unwrap();
    let _ = job.run().unwrap();
    job.pause("ignored: it is completed");
    // All four had been scaled before the job was saved.
    let state = serde_json::to_value(job.state().unwrap()).unwrap();
    let text = state["routines"]["meter"]["by_place"].to_string();
    assert!(text.contains("0.30000000000000004") && !text.contains("300.0"), "{text}");
}

#[test]
fn retention_goes_with_the_job() {
    let mut job =
        Meters::new(1.0).job().retention(Retention { max_history_size: Some(2), history_ttl_seconds: None });
    readings().into_iter().for_each(|reading| job.inputs().reading(reading).unwrap());
    (0..5).for_each(|_| assert!(job.step().unwrap()));
    job.pause("p");
    let mut job = Meters::new(1.0).resume(job.state().unwrap()).unwrap();
    assert_eq!(job.history().map(|entry| entry.sequence).collect::<Vec<_>>(), [4, 5]);
    let _ = job.run().unwrap();
    assert_eq!(job.history().map(|entry| entry.sequence).collect::<Vec<_>>(), [7, 8]);
}

#[test]
fn what_has_ended_stays_ended() {
    let mut job = stopped();
    job.resume().unwrap();
    let _ = job.run().unwrap();
    let again = Meters::new(1.0).resume(job.state().unwrap()).unwrap();
    assert_eq!(again.status(), Status::Completed);
    assert_eq!(again.report().result().unwrap(), &readings());

    let mut job = stopped();
    job.cancel("enough").unwrap();
    let error = Meters::new(1.0).resume(job.state().unwrap()).unwrap_err();
    assert!(error.to_string().ends_with("it was cancelled (enough) and cannot be resumed"), "{error}");
}

#[test]
fn open_inputs_stay_open_and_closed_ones_closed() {
    let mut open = Meters::new(1.0).resume(stopped().state().unwrap()).unwrap();
    open.inputs().reading(readings().remove(0)).unwrap();

    let mut job = Meters::new(1.0).job().after_handler(|cx, _| cx.pause("after each"));
    readings().into_iter().for_each(|reading| job.inputs().reading(reading).unwrap());
    let _ = job.run().unwrap();
    let mut closed = Meters::new(1.0).resume(job.state().unwrap()).unwrap();
    let error = closed.inputs().reading(readings().remove(0)).unwrap_err();
    assert!(error.to_string().contains("its inputs are closed"));
}

mod changed {
    //! Flows of the same name that are wired otherwise.
    pub mod connection {
        use super::super::{Collect, Meter};
        use routilux::prelude::*;
        flow! {
            pub flow Meters() {
                meter: Meter { scale: 1.0 };
                collect: Collect;
                in reading -> meter.reading, collect.reading;
                meter.checked -> out checked;
                collect.all -> return;
            }
        }
    }

    pub mod routine {
        use super::super::{Collect, Meter};
        use routilux::prelude::*;
        flow! {
            pub flow Meters() {
                meter: Meter { scale: 1.0 };
                other: Collect;
                in reading -> meter.reading;
                meter.checked -> other.reading, out checked;
                other.all -> return;
            }
        }
    }

    pub mod order {
        //! Only the order of the statements differs: the same flow.
        use super::super::{Collect, Meter};
        use routilux::prelude::*;
        flow! {
            pub flow Meters() {
                collect: Collect;
                meter: Meter { scale: 1.0 };
                collect.all -> return;
                meter.checked -> out checked, collect.reading;
                in reading -> meter.reading;
            }
        }
    }

    pub mod slot {
        use super::super::{Meter, Reading};
        use routilux::prelude::*;

        /// Takes what it collects otherwise, and as another type.
        #[routine]
        pub struct Collect;

        #[routine]
        impl Collect {
            #[event]
            fn all(readings: Vec<Reading>);

            #[slot]
            fn reading(&self, reading: Reading, out: &mut Emit<Self>) {
                out.all(vec![reading]);
            }
        }

        flow! {
            pub flow Meters() {
                meter: Meter { scale: 1.0 };
                collect: Collect;
                in reading -> meter.reading;
                meter.checked -> collect.reading, out checked;
                collect.all -> return;
            }
        }
    }

    pub mod state {
        use super::super::{Collect, Reading};
        use routilux::prelude::*;

        /// Has another state.
        #[routine]
        pub struct Meter {
            #[state]
            count: u64,
        }

        #[routine]
        impl Meter {
            #[event]
            fn checked(reading: Reading);

            #[slot]
            fn reading(&mut self, reading: Reading, out: &mut Emit<Self>) {
                self.count += 1;
                out.checked(reading);
            }
        }

        flow! {
            pub flow Meters() {
                meter: Meter;
                collect: Collect;
                in reading -> meter.reading;
                meter.checked -> collect.reading, out checked;
                collect.all -> return;
            }
        }
    }
}

flow! {
    flow Other() {
        collect: Collect;
        in reading -> collect.reading;
        collect.all -> return;
    }
}

#[test]
fn another_flow_and_changed_wiring_are_refused_and_told() {
    let state = || stopped().state().unwrap();
    let told = |error: Error| {
        assert!(matches!(error, Error::State { .. } | Error::Serialization { .. }));
        error.to_string()
    };
    let text = told(Other::new().resume(state()).unwrap_err());
    assert!(text.ends_with("it is a job of the flow `Meters`, not of `Other`"), "{text}");

    let text = told(changed::connection::Meters::new().resume(state()).unwrap_err());
    assert!(text.contains("the flow has no `meter.checked -> collect.reading` now"), "{text}");
    assert!(text.contains("the flow has a new `in reading -> collect.reading`"), "{text}");

    let text = told(changed::routine::Meters::new().resume(state()).unwrap_err());
    assert!(text.contains("the flow has no routine `collect` now"), "{text}");
    assert!(text.contains("the flow has a new routine `other`"), "{text}");

    let text = told(changed::slot::Meters::new().resume(state()).unwrap_err());
    assert!(
        text.contains("the slot `collect.reading` was `Reading (append)` and is `Reading (override)` now"),
        "{text}"
    );

    let text = told(changed::state::Meters::new().resume(state()).unwrap_err());
    assert_eq!(text, "the state of `meter` could not be read back: the saved state has no field `count`");

    let mut job = changed::order::Meters::new().resume(state()).unwrap();
    assert_eq!(job.run().unwrap().result().unwrap(), &readings());
}

fn error_of(path: &Path) -> String {
    let error = JobState::load(path).unwrap_err();
    let Error::Serialization { path: Some(told), .. } = &error else { panic!("{error:?}") };
    assert_eq!(told, path);
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    error.to_string()
}

#[test]
fn a_file_is_written_whole_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jobs/of/today/meters.json");
    stopped().state().unwrap().save(&path).unwrap();
    finishes_as_if_unbroken(Meters::new(1.0).resume(JobState::load(&path).unwrap()).unwrap());

    // Over an older one, and without leaving anything else in the folder.
    stopped().state().unwrap().save(&path).unwrap();
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_file_has_the_rights_of_a_new_file_and_a_link_stays_a_link() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let [plain, saved, link] = ["plain", "saved.json", "link.json"].map(|name| dir.path().join(name));
    std::fs::write(&plain, "x").unwrap();
    stopped().state().unwrap().save(&saved).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&saved), mode(&plain));

    std::os::unix::fs::symlink(&saved, &link).unwrap();
    std::fs::write(&saved, "old").unwrap();
    stopped().state().unwrap().save(&link).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(JobState::load(&saved).is_ok());
}

#[test]
fn a_save_that_fails_leaves_the_old_file_whole() {
    let dir = tempfile::tempdir().unwrap();
    // A folder stands where the file should be: nothing can be put in its place.
    let path = dir.path().join("folder");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("inside"), "still here").unwrap();
    let error = stopped().state().unwrap().save(&path).unwrap_err();
    assert!(error.to_string().ends_with("what is there is no plain file, and is not replaced"), "{error}");
    assert_eq!(std::fs::read_to_string(path.join("inside")).unwrap(), "still here");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);

    // A file stands where a folder should be.
    let file = dir.path().join("file");
    std::fs::write(&file, "old").unwrap();
    assert!(stopped().state().unwrap().save(file.join("job.json")).is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "old");
}

#[test]
fn a_damaged_file_is_refused_wherever_it_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meters.json");
    assert!(error_of(&path).starts_with("the saved job could not be read"));

    stopped().state().unwrap().save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let damaged = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        error_of(&path)
    };
    for length in [0, 1, 20, whole.len() / 2, whole.len() - 2] {
        let text = damaged(&whole[..length]);
        assert!(text.starts_with("this is no saved job, or a damaged one"), "{text}");
        assert!(text.contains("line"), "{text}");
    }
    assert!(damaged(b"\xff\xfe\x00garbage").contains("utf-8"));
    assert!(damaged(b"[1, 2, 3]").contains("line 1"));
    assert!(damaged(br#"{"name": "something else"}"#).contains("unknown field `name`"));

    // Any letter or digit that is changed is noticed, one way or another.
    let (mut changed, mut refused) = (0, 0);
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        let old = bytes[at];
        if !old.is_ascii_alphanumeric() {
            continue;
        }
        bytes[at] = if old == b'7' { b'8' } else { b'7' };
        changed += 1;
        refused += usize::from(!damaged(&bytes).is_empty());
    }
    assert!(changed > 100);
    assert_eq!(changed, refused);
}

#[test]
fn a_newer_format_is_refused_before_anything_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meters.json");
    stopped().state().unwrap().save(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap().replace("\"format\": 2", "\"format\": 9");
    std::fs::write(&path, text).unwrap();
    let told = error_of(&path);
    assert!(told.contains("it is of format 9, and this version of routilux reads up to format 2"), "{told}");

    let mut state = serde_json::to_value(stopped().state().unwrap()).unwrap();
    state["format"] = 3.into();
    let told = serde_json::from_value::<JobState>(state).unwrap_err().to_string();
    assert!(told.contains("it is of format 3"), "{told}");
}

#[test]
fn an_older_format_is_read() {
    let mut state = serde_json::to_value(stopped().state().unwrap()).unwrap();
    state["format"] = 1.into();
    let fields = state.as_object_mut().unwrap();
    for of_format_2 in ["later", "closed", "loops", "tally", "absorbed"] {
        assert!(fields.remove(of_format_2).is_some(), "{of_format_2}");
    }
    let state: JobState = serde_json::from_value(state).unwrap();
    let mut job = Meters::new(1.0).resume(state).unwrap();
    let mut whole = Meters::new(1.0).resume(stopped().state().unwrap()).unwrap();
    assert_eq!(job.run().unwrap().result().unwrap(), whole.run().unwrap().result().unwrap());
}

#[test]
fn a_state_that_contradicts_itself_is_refused() {
    let state = || serde_json::to_value(stopped().state().unwrap()).unwrap();
    let refused = |state: serde_json::Value| {
        let state = serde_json::from_value::<JobState>(state).unwrap();
        Meters::new(1.0).resume(state).unwrap_err().to_string()
    };
    let mut twice = state();
    twice["waiting"][1]["id"] = twice["waiting"][0]["id"].clone();
    assert!(refused(twice).ends_with("its delivery 7 is numbered twice, or never was"));

    let mut future = state();
    future["waiting"][1]["id"] = 1000.into();
    assert!(refused(future).ends_with("its delivery 1000 is numbered twice, or never was"));

    let mut elsewhere = state();
    elsewhere["waiting"][0]["to"] = "meter.nothing".into();
    assert!(
        refused(elsewhere)
            .contains("delivery 7 to `meter.nothing` could not be read back: the flow has no such slot")
    );

    let mut mistyped = state();
    mistyped["waiting"][0]["payload"] = "text".into();
    assert!(
        refused(mistyped).contains("delivery 7 to `collect.reading` could not be read back: invalid type")
    );

    let mut missing = state();
    missing["slots"] = serde_json::json!({});
    assert!(
        refused(missing).contains("`collect.reading` could not be read back: it is not in the saved job")
    );

    let mut more = state();
    more["outputs"]["more"] = serde_json::json!([]);
    assert!(refused(more).contains("the output `more` could not be read back: the flow has no such thing"));

    let mut history = state();
    history["history"][2]["sequence"] = 1.into();
    assert!(refused(history).contains("its history is not in sequence"));

    let mut none = state();
    none["retention"]["max_history_size"] = 0.into();
    let mut job = Meters::new(1.0).resume(serde_json::from_value(none).unwrap()).unwrap();
    assert_eq!((job.history().count(), job.run().unwrap().handled()), (0, 8));

    for field in ["next_delivery", "next_sequence"] {
        let mut huge = state();
        huge[field] = u64::MAX.into();
        assert!(!refused(huge).is_empty());
    }
    let mut tried = state();
    tried["waiting"][0]["attempts"] = u32::MAX.into();
    tried["further_results"] = u64::MAX.into();
    let mut job = Meters::new(1.0).resume(serde_json::from_value(tried).unwrap()).unwrap();
    assert_eq!(job.run().unwrap().handled(), 8);

    let mut completed = state();
    completed["status"] = "completed".into();
    assert!(refused(completed).ends_with("it is completed, and deliveries wait"));
    let mut failed = state();
    failed["status"] = "failed".into();
    assert!(refused(failed).ends_with("it is failed, and says not with what"));

    let mut counts = state();
    counts["handled"] = 1000.into();
    assert!(refused(counts).ends_with("it has handled more than it has run"));
}

#[test]
fn a_payload_that_does_not_serialise_is_an_error_and_no_panic() {
    #[derive(Deserialize)]
    struct Awkward(u8);
    impl Serialize for Awkward {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                0 => Err(serde::ser::Error::custom("I would rather not")),
                1 => panic!("not in the mood"),
                n => serializer.serialize_u8(n),
            }
        }
    }
    #[routine]
    struct Takes;
    #[routine]
    impl Takes {
        #[slot]
        fn it(&self, _it: Awkward) {}
    }
    flow! { flow Awkwardly() { takes: Takes; in it -> takes.it; } }

    for (n, told) in [(0, "I would rather not"), (1, "not in the mood")] {
        let mut job = Awkwardly::new().job();
        job.inputs().it(Awkward(2)).unwrap();
        job.inputs().it(Awkward(n)).unwrap();
        let error = job.state().unwrap_err();
        assert_eq!(error.to_string(), format!("delivery 2 to `takes.it` could not be saved: {told}"));
        assert_eq!(job.run().unwrap().handled(), 2);
    }
}
