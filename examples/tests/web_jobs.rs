//! The program `web_jobs`, driven over loopback TCP. Jobs that are to be met while they run have texts for seconds.
#![allow(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use ureq::{Agent, http::Response};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A service of its own for each test.
struct Service {
    process: Child,
    address: String,
    agent: Agent,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Service {
    /// Reads two texts at once, each of which takes so many milliseconds.
    fn start(takes: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_web_jobs"));
        command.args(["--workers", "2", "--takes", takes]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap().to_owned();
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).proxy(None);
        Service { process, address, agent: config.build().into() }
    }

    fn response(&self, path: &str) -> Response<ureq::Body> {
        self.agent.get(format!("http://{}{path}", self.address)).call().unwrap()
    }

    fn get(&self, path: &str) -> (u16, Value) {
        read(self.response(path))
    }

    /// Asks again and again, until what is answered satisfies `is_it`.
    fn wait_for(&self, path: &str, is_it: impl Fn(u16, &Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let (status, body) = self.get(path);
            if is_it(status, &body) {
                return body;
            }
            assert!(start.elapsed() < PATIENCE, "{path} still says {status} {body}");
            thread::yield_now();
        }
    }

    fn totals(&self) -> Value {
        self.get("/jobs").1
    }

    /// Posts a job from another thread.
    fn post(&self, order: Value) -> JoinHandle<(u16, Value)> {
        let request =
            self.agent.post(format!("http://{}/jobs", self.address)).content_type("application/json");
        thread::spawn(move || read(request.send(order.to_string()).unwrap()))
    }

    fn analyse(&self, order: Value) -> (u16, Value) {
        self.post(order).join().unwrap()
    }
}

fn read(mut response: Response<ureq::Body>) -> (u16, Value) {
    let text = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn totals(running: u64, completed: u64, failed: u64, cancelled: u64) -> Value {
    json!({"running": running, "completed": completed, "failed": failed, "cancelled": cancelled})
}

/// So many texts; the first has one word, and each of the others one word more.
fn texts(count: usize) -> Vec<String> {
    (1..=count).map(|words| vec!["word"; words].join(" ")).collect()
}

/// The numbers of words that were told, in their order.
fn words(answer: &Value) -> Vec<u64> {
    answer["readings"].as_array().unwrap().iter().map(|reading| reading["words"].as_u64().unwrap()).collect()
}

#[test]
fn a_job_is_answered_with_its_result() {
    let service = Service::start("1");
    let texts =
        ["The cat sat on the mat.", "Is it? It is!", "\u{201c}Voil\u{e0}\u{201d} \u{2014} 1 mot, ou 2"];
    let (status, answer) = service.analyse(json!({"id": "one", "texts": texts}));
    assert_eq!((status, &answer["id"]), (200, &json!("one")), "{answer}");
    assert_eq!(words(&answer), [6, 4, 5]);
    let readings = answer["readings"].as_array().unwrap();
    assert_eq!(readings.iter().map(|reading| &reading["sentences"]).collect::<Vec<_>>(), [1, 2, 1]);
    let grade = 4.71 * 17.0 / 6.0 + 0.5 * 6.0 - 21.43;
    assert!((readings[0]["grade"].as_f64().unwrap() - grade).abs() < 1e-9, "{answer}");

    // Once answered, its id is free; without one, it is given one.
    assert_eq!(service.get("/jobs/one").0, 404);
    assert_eq!(service.analyse(json!({"id": "one", "texts": texts})).0, 200);
    let (status, answer) = service.analyse(json!({"texts": texts}));
    assert_eq!((status, answer["id"].as_str().unwrap().len()), (200, 36));
    assert_eq!(service.totals(), totals(0, 3, 0, 0));
}

#[test]
fn a_failed_job_is_answered_with_its_error() {
    let service = Service::start("1");
    let (status, answer) = service.analyse(json!({"id": "bad", "texts": ["A word.", "..."]}));
    assert_eq!((status, &answer["at"]), (422, &json!("reader.text")));
    let error = answer["error"].as_str().unwrap();
    assert!(error.contains("`reader.text` failed") && error.contains("no word in texts[1]"), "{error}");
    assert_eq!(service.get("/jobs/bad").0, 404);
    assert_eq!(service.totals(), totals(0, 0, 1, 0));
}

#[test]
fn what_is_no_order_starts_no_job() {
    let service = Service::start("1");
    assert_eq!(service.analyse(json!({"texts": []})), (422, json!({"error": "there are no texts"})));
    assert_eq!(service.analyse(json!({"text": "?"})).0, 422);
    assert_eq!(service.totals(), totals(0, 0, 0, 0));
}

#[test]
fn what_is_unknown_is_not_found() {
    let service = Service::start("1");
    let unknown = (404, json!({"error": "no job `x` runs"}));
    assert_eq!(service.get("/jobs/x"), unknown);
    assert_eq!(service.get("/jobs/x/progress"), unknown);
    assert_eq!(service.get("/x").0, 404);
}

#[test]
fn several_jobs_share_the_pool() {
    let service = Service::start("1");
    let posted: Vec<_> =
        (1..=16).map(|count| (count, service.post(json!({"texts": texts(count)})))).collect();
    for (count, posted) in posted {
        let (status, answer) = posted.join().unwrap();
        assert_eq!((status, words(&answer)), (200, (1..=count as u64).collect()));
    }
    assert_eq!(service.totals(), totals(0, 16, 0, 0));
}

#[test]
fn progress_is_told_to_all_who_watch_before_the_result() {
    let service = Service::start("10");
    let posted = service.post(json!({"id": "watched", "texts": texts(400)}));
    service.wait_for("/jobs/watched", |status, _| status == 200);

    let watch = || {
        let response = service.response("/jobs/watched/progress");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        BufReader::new(response.into_body().into_reader()).lines().map(Result::unwrap)
    };
    let mut watchers = [watch(), watch()];
    for lines in &mut watchers {
        let event: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        assert_eq!(event[0], "event: progress");
        assert!(progress(&event[1]) < 400 && !posted.is_finished(), "{event:?}");
    }
    let job = service.wait_for("/jobs/watched", |status, job| status != 200 || job["handled"] != 0);
    assert_eq!((&job["id"], &job["status"]), (&json!("watched"), &json!("running")));

    // Never less than before, and in the end all. Then the stream ends too.
    for lines in watchers {
        let told: Vec<u64> =
            lines.filter(|line| line.starts_with("data: ")).map(|data| progress(&data)).collect();
        assert!(told.is_sorted() && told.last() == Some(&400), "{told:?}");
    }
    let (status, answer) = posted.join().unwrap();
    assert_eq!((status, words(&answer).len()), (200, 400));
}

/// How many texts are done, of `data: {..}`.
fn progress(data: &str) -> u64 {
    let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(data["texts"], 400);
    data["done"].as_u64().unwrap()
}

#[test]
fn a_client_that_goes_away_takes_its_job_along() {
    let service = Service::start("20");
    // Some ten seconds of texts.
    let order = json!({"id": "left", "texts": vec!["word"; 1000]}).to_string();
    let mut client = TcpStream::connect(&service.address).unwrap();
    let head = "POST /jobs HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length:";
    write!(client, "{head} {}\r\n\r\n{order}", order.len()).unwrap();
    service.wait_for("/jobs/left", |status, job| status == 200 && job["handled"] != 0);
    let again = service.analyse(json!({"id": "left", "texts": ["word"]}));
    assert_eq!(again, (409, json!({"error": "the job `left` runs already"})));
    assert_eq!(service.totals(), totals(1, 0, 0, 0));

    let watched = service.response("/jobs/left/progress");
    drop(client);
    service.wait_for("/jobs/left", |status, _| status == 404);
    service.wait_for("/jobs", |_, told| *told == totals(0, 0, 0, 1));
    // Who watches it does not hold it, and is told its end.
    let told = BufReader::new(watched.into_body().into_reader()).lines().map(Result::unwrap);
    assert!(told.filter(|line| line.starts_with("data: ")).count() < 1000);
    // Its workers are free.
    assert_eq!(service.analyse(json!({"texts": ["word"]})).0, 200);
}

#[cfg(unix)]
#[test]
fn ctrl_c_lets_jobs_end_first() {
    let mut service = Service::start("10");
    let posted = service.post(json!({"id": "last", "texts": texts(200)}));
    service.wait_for("/jobs/last", |status, _| status == 200);
    let id = service.process.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let (status, answer) = posted.join().unwrap();
    assert_eq!((status, words(&answer).len()), (200, 200));
    assert!(service.process.wait().unwrap().success());
}
