//! Connections that fall asleep by themselves, for owners of Rust connections. `tests/memory` counts what they take.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use brokertls::options::Options;
use brokertls::{Code, Connection, ContextBuilder};

use crate::rig::clock::Clock;
use crate::rig::pair::{Authority, Pair, context};

#[test]
fn option_takes_seconds_of_a_day_at_most_and_refuses_all_else() {
    for value in ["0", "1", "60", "86400"] {
        Options::new().set("sleep-after-s", value).unwrap();
    }
    for value in ["", "86401", "4294967296", "-1", "1.5", "60s", "never", "yes"] {
        let error = Options::new().set("sleep-after-s", value).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{value}");
        assert!(error.detail().contains("option sleep-after-s"), "{}", error.detail());
    }
    assert_eq!(ContextBuilder::new().sleep_after_s(86_401).unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(Options::new().set("sleep-after", "60").unwrap_err().code(), Code::UnknownOption);
}

/// A connection behind its owner's lock, by which maintenance is admitted.
static OWNED: Mutex<Option<Connection>> = Mutex::new(None);

fn visit(key: u64, look: &mut dyn FnMut(&mut Connection)) {
    assert_eq!(key, 77);
    if let Ok(mut owned) = OWNED.try_lock()
        && let Some(connection) = &mut *owned
    {
        look(connection);
    }
}

#[test]
fn owner_of_a_connection_admits_maintenance_by_its_own_lock_and_records_flow_after_its_looks() {
    for versions in ["TLSv1.2", "TLSv1.3"] {
        let (authority, clock) = (Authority::new("root"), Clock::new());
        let server = context(|builder| {
            builder.versions(versions).identity(authority.identity(&["broker"])).clock(Arc::clone(&clock) as _);
            builder.sleep_after_s(10).unwrap()
        });
        let client = context(|builder| builder.versions(versions).trust(authority.trust()));
        let Pair { server: accepted, client: mut connected, .. } = Pair::connect(&server, &client, "broker");
        assert!(client.watch_idle(connected.id(), 1, visit).is_none(), "it does not ask");
        let place = server.watch_idle(accepted.id(), 77, visit).unwrap();
        *OWNED.lock().unwrap() = Some(accepted);
        for turn in 0..4 {
            assert_eq!(server.maintain(), Duration::from_secs(5));
            clock.advance(10);
            // In the last turn, the owner has the lock.
            let held = (turn == 3).then(|| OWNED.lock().unwrap());
            server.maintain();
            drop(held);
            let (mut record, mut plain) = ([0; 100], [0; 100]);
            let sealed = connected.wrap(b"wake", &mut record).unwrap().produced;
            let mut owned = OWNED.lock().unwrap();
            let accepted = owned.as_mut().unwrap();
            assert_eq!(accepted.unwrap(&mut record[..sealed], &mut plain).unwrap().produced, 4);
            let sealed = accepted.wrap(b"awake", &mut record).unwrap().produced;
            assert_eq!(connected.unwrap(&mut record[..sealed], &mut plain).unwrap().produced, 5);
        }
        drop(place);
        *OWNED.lock().unwrap() = None;
        server.maintain();
    }
}
