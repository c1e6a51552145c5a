//! The policies of both engines from the same settings, and the names that neither serves.

use super::verdict::verdict;
use super::{SecondMeans, SecondPolicy, TLS12, TLS13, is_of};
use crate::error::{Code, Error, Result};
use crate::policy::not_served::NotServed;
use crate::policy::suites::Since;
use crate::policy::{Policy, PolicySpec, Preset, cipher_string, groups, version};

/// The policies of a context.
#[derive(Debug)]
pub(crate) struct Policies {
    /// `None` if the settings leave rustls nothing.
    pub(crate) first: Option<Policy>,
    /// `None` if the second engine is off. It may serve nothing.
    pub(crate) second: Option<SecondPolicy>,
    /// The configured names that neither engine serves.
    pub(crate) not_served: Vec<NotServed>,
}

/// Reads the settings for both engines. Without means, there is rustls alone.
///
/// # Errors
/// As for [`Policy::from_spec`], for what neither engine serves. `OPTION_CONFLICT` for TLS 1.3 and versions below 1.2
/// without 1.2.
pub(crate) fn of_both(spec: &PolicySpec, means: Option<&SecondMeans>) -> Result<Policies> {
    let Some(means) = means else {
        let first = Policy::from_spec(spec)?;
        return Ok(Policies { not_served: first.not_served().to_vec(), first: Some(first), second: None });
    };
    let first = Policy::beside_second(spec);
    let second = SecondPolicy::from_spec(spec, means)?.beside(first.as_ref().ok());
    let not_served = of_neither(spec, means, first.as_ref().ok(), &second)?;
    let first = match first {
        Ok(first) => Some(first),
        Err(error) if second.serves_any() && error.code() != Code::OptionConflict => None,
        Err(error) if not_served.is_empty() => return Err(error),
        Err(error) => {
            return Err(Error::new(error.code(), NotServed::list(&not_served)).with_hint(error.hint().to_owned()));
        }
    };
    let policies = Policies { first, second: Some(second), not_served };
    policies.check(spec)?;
    Ok(policies)
}

/// Restricts both to the versions and suites of a connection, as [`Policy::restricted`] does.
///
/// # Errors
/// As for [`of_both`].
pub(crate) fn restricted_both(
    spec: &PolicySpec,
    means: &SecondMeans,
    versions: Option<&str>,
    suites: Option<&str>,
) -> Result<Policies> {
    let mut spec = spec.clone();
    if let Some(versions) = versions {
        spec.versions = Some(versions.to_owned());
    }
    let Some(suites) = suites else { return of_both(&spec, Some(means)) };
    let mut second = SecondPolicy::from_spec(&spec, means)?;
    let had_any = second.serves_any();
    second.keep_suites(suites)?;
    let first = Policy::restricted(&spec, None, Some(suites));
    let first = match first {
        Ok(first) => Some(first),
        Err(_) if second.serves_any() => None,
        Err(_) if had_any => return Err(Error::new(Code::NoCipherSuite, "none of the suites is one of the versions")),
        Err(error) => return Err(error),
    };
    let policies = Policies { first, second: Some(second), not_served: Vec::new() };
    policies.check(&spec)?;
    Ok(policies)
}

impl Policies {
    fn serves(&self, version: u16) -> bool {
        let name = version::name_on_the_wire(version);
        self.first.as_ref().is_some_and(|first| first.version_names().contains(&name))
            || self.second.as_ref().is_some_and(|second| second.versions.contains(&version))
    }

    /// Refuses lists that leave a hole, and a cipher string that leaves nothing below TLS 1.3.
    fn check(&self, spec: &PolicySpec) -> Result<()> {
        let is_old = |version: &u16| self.serves(*version);
        if let Some(old) = [0x0302, 0x0301].into_iter().find(is_old)
            && self.serves(TLS13)
            && !self.serves(TLS12)
        {
            let old = version::name_on_the_wire(old);
            let detail = format!("TLSv1.3 and {old} without TLSv1.2: a client could not see a forced downgrade");
            return Err(Error::new(Code::OptionConflict, detail).with_hint("Allow TLSv1.2 too."));
        }
        let Some(text) = &spec.cipher_suites else { return Ok(()) };
        let is_asked = match &spec.versions {
            None => spec.preset != Preset::Modern,
            Some(list) => spec.preset != Preset::Modern && version::on_the_wire(list)?.iter().any(|one| *one < TLS13),
        };
        let selection = cipher_string::select(text)?;
        let has_any = [TLS12, 0x0302, 0x0301].into_iter().any(|version| self.serves(version));
        match is_asked && selection.speaks_of_tls12 && !selection.names_tls13 && !has_any {
            true => Err(Error::new(Code::NoCipherSuite, NotServed::list(&self.not_served))),
            false => Ok(()),
        }
    }
}

/// The names of the settings that neither engine serves.
fn of_neither(
    spec: &PolicySpec,
    means: &SecondMeans,
    first: Option<&Policy>,
    second: &SecondPolicy,
) -> Result<Vec<NotServed>> {
    let mut lines = Vec::new();
    let of_first = first.map(Policy::version_names).unwrap_or_default();
    let serves =
        |version: u16| second.versions.contains(&version) || of_first.contains(&version::name_on_the_wire(version));
    let is_modern = spec.preset == Preset::Modern;
    let default = if is_modern { "TLSv1.3" } else { "TLSv1.3,TLSv1.2" };
    version::report(spec.versions.as_deref().unwrap_or(default), serves, is_modern, &mut lines)?;
    if let Some(list) = &spec.groups {
        lines.extend(groups::parse(list)?.of_neither);
    }
    let Some(text) = &spec.cipher_suites else { return Ok(lines) };
    let selection = cipher_string::select_with(text, &|suite| verdict(suite, Some(means)))?;
    lines.extend(selection.not_served);
    for suite in selection.named.into_iter().filter(|suite| verdict(suite, Some(means)).is_served()) {
        if ![TLS13, TLS12, 0x0302, 0x0301].into_iter().any(|version| is_of(suite, version) && serves(version)) {
            let version = if suite.since == Since::Tls13 { "TLSv1.3" } else { "TLSv1.2" };
            NotServed::add(&mut lines, suite.iana, format!("{version} is not allowed"));
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::suite_table::SUITES;
    use crate::policy::suites::Enc;

    /// OpenSSL with every suite but triple-DES.
    fn means() -> SecondMeans {
        let known = SUITES.iter().filter(|suite| suite.enc != Enc::TripleDes).map(|suite| suite.id).collect();
        SecondMeans { known, ..SecondMeans::default() }
    }

    fn spec(versions: &str, suites: &str, groups: &str) -> PolicySpec {
        let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        PolicySpec { versions: set(versions), cipher_suites: set(suites), groups: set(groups), ..PolicySpec::default() }
    }

    fn both(versions: &str, suites: &str, groups: &str) -> Result<Policies> {
        of_both(&spec(versions, suites, groups), Some(&means()))
    }

    fn report(policies: &Policies) -> Vec<String> {
        policies.not_served.iter().map(|line| format!("{}: {}", line.name, line.reason)).collect()
    }

    #[test]
    fn string_without_a_suite_of_rustls_in_tls12_leaves_it_tls13() {
        let policies = both("", "ECDHE-RSA-AES128-SHA", "").unwrap();
        assert_eq!(policies.first.unwrap().version_names(), ["TLSv1.3"]);
        assert_eq!(policies.second.unwrap().version_names(), ["TLSv1.3", "TLSv1.2"]);
        assert!(policies.not_served.is_empty());
    }

    #[test]
    fn string_that_leaves_neither_engine_a_suite_below_tls13_is_refused_with_its_reasons() {
        let error = both("", "AES128-SHA:RC4-SHA", "").unwrap_err();
        assert_eq!(error.code(), Code::NoCipherSuite);
        assert_eq!(
            error.detail(),
            "TLSv1.2: the cipher suites and groups leave none of this version; \
             AES128-SHA: RSA key exchange (no forward secrecy); needs legacy-rsa-key-exchange; \
             RC4-SHA: RC4 is broken and prohibited (RFC 7465)"
        );
    }

    #[test]
    fn version_without_a_suite_or_a_group_drops_out_of_the_second_engine() {
        let versions = |versions: &str, suites: &str, groups: &str| {
            both(versions, suites, groups).unwrap().second.unwrap().version_names()
        };
        assert_eq!(versions("TLSv1.3", "", ""), ["TLSv1.3"]);
        assert_eq!(versions("TLSv1.3,TLSv1.2,TLSv1", "DHE-RSA-AES128-GCM-SHA256", ""), ["TLSv1.3", "TLSv1.2"]);
        assert_eq!(versions("", "TLS_AES_128_GCM_SHA256", ""), ["TLSv1.3"]);
        assert_eq!(versions("", "", "X25519MLKEM768"), ["TLSv1.2"]);
        let policies = both("TLSv1.3,TLSv1.2,TLSv1", "ECDHE-RSA-AES128-GCM-SHA256", "").unwrap();
        assert_eq!(report(&policies), ["TLSv1: the cipher suites and groups leave none of this version"]);
    }

    #[test]
    fn engine_that_lacks_tls13_beside_rustls_still_marks_a_downgrade() {
        let second = both("", "", "X25519MLKEM768").unwrap().second.unwrap();
        assert_eq!((second.version_names(), second.version_bits()), (vec!["TLSv1.2"], 0b1100));
        assert_eq!((second.group_list().as_str(), second.suite_list(true).as_str()), ("", "TLS_AES_128_GCM_SHA256"));
        assert!(second.suite_list(false).split(':').all(|name| name.starts_with("DHE-")), "{second:?}");
    }

    #[test]
    fn hole_below_tls13_is_refused_and_one_below_tls12_is_not() {
        let error = both("TLSv1.3,TLSv1", "", "").unwrap_err();
        assert_eq!(error.code(), Code::OptionConflict);
        assert!(error.detail().starts_with("TLSv1.3 and TLSv1 without TLSv1.2"), "{error}");
        assert_eq!(both("TLSv1.2,TLSv1", "", "").unwrap().second.unwrap().version_bits(), 0b0101);
    }

    #[test]
    fn reports_are_those_of_neither_engine_though_rustls_serves_nothing() {
        let policies = both("tlsv1,sslv3", "ECDHE-RSA-AES128-SHA,RSA-PSK-RC4-SHA", "").unwrap();
        assert!(policies.first.is_none());
        assert_eq!(
            report(&policies),
            [
                "sslv3: SSL 3.0 is broken and prohibited (RFC 7568)",
                "RSA-PSK-RC4-SHA: RC4 is broken and prohibited (RFC 7465)"
            ]
        );
    }

    #[test]
    fn each_rule_that_is_not_served_says_which_setting_serves_it() {
        let policies = both("", "DHE-RSA-AES128-SHA:AES128-SHA:DES-CBC3-SHA:PSK:RSA-PSK-AES128-CBC-SHA:EXP:kECDHr", "");
        let lines = report(&policies.unwrap());
        assert_eq!(lines[0], "AES128-SHA: RSA key exchange (no forward secrecy); needs legacy-rsa-key-exchange");
        assert_eq!(
            lines[1],
            "DES-CBC3-SHA: RSA key exchange (no forward secrecy), triple-DES encryption, the OpenSSL of this system \
             does not have it; needs legacy-rsa-key-exchange and legacy-3des"
        );
        assert!(lines[2].starts_with("PSK: all ") && lines[2].ends_with("; needs psk-file"), "{}", lines[2]);
        assert_eq!(
            lines[3],
            "RSA-PSK-AES128-CBC-SHA: pre-shared keys, RSA key exchange (no forward secrecy); needs psk-file and \
             legacy-rsa-key-exchange"
        );
        assert!(lines[4].ends_with("suites of it: export-grade encryption is broken"), "{}", lines[4]);
        assert!(lines[5].contains("static ECDH key exchange: not in OpenSSL since 1.1.0"), "{}", lines[5]);
        assert_eq!(lines.len(), 6);
        let served = both("", "kEDH:AESCCM:CAMELLIA:ALL", "").unwrap();
        assert!(served.not_served.is_empty(), "{:?}", served.not_served);
    }

    #[test]
    fn rule_without_the_engine_names_the_engine_and_its_switch() {
        let policy = Policy::from_spec(&spec("", "ALL:AES128-SHA:DES-CBC3-SHA:RC4-SHA", "secp521r1:X25519")).unwrap();
        let lines: Vec<&str> = policy.not_served().iter().map(|line| line.reason.as_str()).collect();
        assert_eq!(
            lines,
            [
                "of the NIST curves, P-256 and P-384 are served; needs legacy-engine",
                "static RSA key exchange (no forward secrecy), CBC encryption; needs legacy-engine and \
                 legacy-rsa-key-exchange",
                "static RSA key exchange (no forward secrecy), triple-DES encryption; needs legacy-engine and \
                 legacy-rsa-key-exchange and legacy-3des",
                "static RSA key exchange (no forward secrecy), RC4 encryption",
            ]
        );
    }

    #[test]
    fn groups_of_the_second_engine_alone_leave_it_what_they_serve() {
        let policies = both("", "", "P-521:ffdhe2048").unwrap();
        assert!(policies.first.is_none());
        let second = policies.second.unwrap();
        assert_eq!(
            (second.group_list().as_str(), second.version_names()),
            ("secp521r1:ffdhe2048", vec!["TLSv1.3", "TLSv1.2"])
        );
        assert!(!both("", "", "ffdhe2048").unwrap().second.unwrap().suite_list(false).contains("ECDHE"));
        assert_eq!(both("TLSv1.2", "", "sect163k1").unwrap_err().code(), Code::GroupNotSupported);
    }

    #[test]
    fn list_that_is_too_long_or_unknown_is_refused_and_never_taken_for_a_lack() {
        let long = "TLS,".repeat(10_000);
        assert_eq!(both(&long, "", "").unwrap_err().detail(), "the list of versions is too long");
        assert_eq!(both("TLSv1.4", "", "").unwrap_err().code(), Code::VersionNotSupported);
        assert_eq!(both("", "", &"X25519:".repeat(10_000)).unwrap_err().detail(), "the list of groups is too long");
        assert_eq!(both("", "ALL:NOSUCH", "").unwrap_err().code(), Code::CipherNotSupported);
    }
}
