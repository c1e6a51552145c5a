//! Validity of a response: its dates beside a clock that stands at 2026-01-01.

use super::*;

const HOUR: i64 = 3_600;
const WEEK: i64 = 7 * 24 * HOUR;

fn at(pki: &Pki, answer: &Answer, later_s: i64, max_stale_s: i64) -> OcspStanding {
    let response = read(&answer.signed_by(&pki.root)).unwrap();
    response.standing(&pki.server.der, &pki.root.der, now().as_secs() as i64 + later_s, max_stale_s)
}

#[test]
fn response_out_of_date_is_stale_after_five_minutes_and_what_is_allowed() {
    let pki = Pki::new();
    let answer = pki.answer(GOOD);
    let end = TOMORROW - now().as_secs() as i64;
    assert_eq!(at(&pki, &answer, end, 0), good());
    assert_eq!(at(&pki, &answer, end + 300, 0), good());
    assert_eq!(at(&pki, &answer, end + 301, 0), OcspStanding::Stale);
    assert_eq!(at(&pki, &answer, end + 300 + HOUR, HOUR), good());
    assert_eq!(at(&pki, &answer, end + 301 + HOUR, HOUR), OcspStanding::Stale);
}

#[test]
fn response_without_next_update_serves_for_a_week() {
    let pki = Pki::new();
    // As old as twelve hours.
    let answer = pki.answer_of(vec![Said { next_update: None, ..pki.said(GOOD) }]);
    let good = OcspStanding::Good { until_unix_s: None };
    assert_eq!(at(&pki, &answer, 0, 0), good);
    assert_eq!(at(&pki, &answer, WEEK - 12 * HOUR + 300, 0), good);
    assert_eq!(at(&pki, &answer, WEEK - 12 * HOUR + 301, 0), OcspStanding::Stale);
    assert_eq!(at(&pki, &answer, WEEK - 11 * HOUR, HOUR), good);
}

#[test]
fn response_of_the_future_is_invalid_beyond_five_minutes() {
    let pki = Pki::new();
    // From the clock's time to thisUpdate, twelve hours ago.
    let before = -12 * HOUR;
    assert_eq!(at(&pki, &pki.answer(GOOD), before - 300, 0), good());
    assert_invalid(at(&pki, &pki.answer(GOOD), before - 301, 0), "in the future");
    let later = pki.answer_of(vec![Said { this_update: "20260101000501Z", ..pki.said(GOOD) }]);
    assert_invalid(at(&pki, &later, 0, 0), "of the future");
    assert_eq!(at(&pki, &later, 1, 0), good());
    let signed_later = Answer { produced_at: "20260101000501Z", ..pki.answer(GOOD) };
    assert_invalid(at(&pki, &signed_later, 0, 0), "signed in the future");
}

#[test]
fn response_with_contradicting_dates_is_invalid() {
    let pki = Pki::new();
    let backwards = pki.answer_of(vec![Said {
        this_update: "20251231130000Z",
        next_update: Some("20251231125959Z"),
        ..pki.said(GOOD)
    }]);
    assert_invalid(at(&pki, &backwards, -10 * HOUR, 0), "ends before it begins");
    // The certificate is valid from 2020 on.
    let early = Answer { produced_at: "20191231235459Z", ..pki.answer(GOOD) };
    assert_invalid(at(&pki, &early, 0, 0), "before the certificate became valid");
    let in_time = Answer { produced_at: "20191231235500Z", ..pki.answer(GOOD) };
    assert_eq!(at(&pki, &in_time, 0, 0), good());
}

#[test]
fn clock_and_allowance_at_their_limits_do_not_overflow() {
    let pki = Pki::new();
    let response = read(&pki.answer(GOOD).signed_by(&pki.root)).unwrap();
    let standing = |now, stale| response.standing(&pki.server.der, &pki.root.der, now, stale);
    assert_eq!(standing(i64::MAX, 0), OcspStanding::Stale);
    assert_eq!(standing(i64::MAX, i64::MAX), good());
    assert_invalid(standing(i64::MIN, i64::MAX), "in the future");
}

#[test]
fn times_of_other_forms_are_malformed() {
    let pki = Pki::new();
    for text in ["20251231120000.Z", "202512311200Z", "20251231120000+0000", "20250229000000Z"] {
        let said = Said { this_update: text, ..pki.said(GOOD) };
        let error = read(&pki.answer_of(vec![said]).signed_by(&pki.root)).unwrap_err();
        assert_eq!(error.code(), Code::OcspMalformed);
    }
}
