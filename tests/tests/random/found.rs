//! What random flows have found, each as the smallest flow that shows it.

use routilux::prelude::*;
use routilux::{Clock, Pool};
use std::time::{Duration, SystemTime};
use tests::patience::within;
use tests::tokens::{Delay, Fails, Feed, Log, Match, Token};

const NEVER: Fails = Fails { one_in: 0, times: 0, panics: false };
/// Each of them once.
const ONCE: Fails = Fails { one_in: 1, times: 1, panics: false };

flow! {
    flow Slow(log: Log) {
        feed: Feed { site: log.site(0, [3, 0], NEVER) };
        delay: Delay { site: log.site(1, [0, 5], NEVER) };
        in x -> delay.n;
        feed.a -> out fed;
        ignore feed.b;
        delay.a -> out late;
        ignore delay.b;
    }
}

#[test]
fn sources_hear_that_there_is_room_when_what_leaves_later_has_left() {
    within(1, || {
        let pool = Pool::new(2).unwrap();
        for round in 0..20 {
            let mut job = Slow::new(Log::default()).job().capacity(1);
            (0..8).for_each(|n| job.inputs().x(Token::new(100 * round + n)).unwrap());
            let job = job.start_on(&pool).unwrap();
            job.close_inputs();
            let report = job.wait(Duration::from_secs(20)).unwrap().expect("the sources wait for ever");
            assert_eq!(report.status(), Status::Completed);
        }
    });
}

flow! {
    flow Rejecting(log: Log) {
        delay: Delay { site: log.site(0, [0, 5], NEVER) };
        in x -> delay.n;
        delay.a if |token| token.passes(3, 0) -> out late;
        ignore delay.b;
    }
}

#[test]
fn what_is_rejected_of_what_leaves_later_is_counted_after_a_job_was_read_back() {
    let mut job = Rejecting::new(Log::default()).job();
    (0..20).for_each(|n| job.inputs().x(Token::new(n)).unwrap());
    assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
    let text = serde_json::to_string(&job.state().unwrap()).unwrap();
    let expected = job.run().unwrap();
    let mut again = Rejecting::new(Log::default()).resume(serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(again.run().unwrap().filtered(), expected.filtered());
    assert!(expected.filtered() > 0);
}

flow! {
    flow Matching(log: Log) {
        matches: Match { site: log.site(0, [0, 0], ONCE) };
        in left -> matches.pair.left;
        in right -> matches.pair.right;
        ignore matches.a;
        ignore matches.b;
        on error of matches.pair retry(1, 5ms);
    }
}

#[test]
fn a_pair_that_is_tried_again_is_not_superseded_by_what_comes_after_it() {
    let log = Log::default();
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    let mut job = Matching::new(log.clone()).job().clock(clock.clone());
    let [one, two, three] = [1, 2, 3].map(Token::new);
    job.inputs().left(one).unwrap();
    job.inputs().right(two).unwrap();
    assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
    clock.advance(Duration::from_secs(1));
    job.inputs().left(three).unwrap();
    let report = job.run().unwrap();
    let took: Vec<_> = log.record().calls.into_iter().map(|call| (call.took, call.well)).collect();
    let pair = vec![vec![one], vec![two]];
    assert_eq!(took, [(pair.clone(), false), (pair, true)]);
    assert_eq!((report.superseded(), report.unpaired().len()), (0, 1));
}
