//! Whether a URL may be requested, as far as it can be told before its host is
//! looked up. Asked again for every redirect.

use hostler_core::services::address_allowed;
use reqwest::Url;

use super::super::HttpOptions;

/// Why not, if not.
pub(super) fn check(url: &Url, options: &HttpOptions) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("the scheme '{}' is not supported", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with credentials is not supported".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if !host_allowed(bare, &options.hosts) {
        return Err(format!("the host {host} is not allowed"));
    }
    match bare.parse() {
        Ok(address) if !address_allowed(address, &options.addresses) => {
            Err(format!("the address {host} is not allowed"))
        }
        _ => Ok(()),
    }
}

/// Whether the operator lets this host be named.
fn host_allowed(host: &str, hosts: &[String]) -> bool {
    let host = host.trim_end_matches('.');
    let matches = |rule: &String| match rule.strip_prefix("*.") {
        Some(domain) => host
            .strip_suffix(domain)
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => rule.eq_ignore_ascii_case(host),
    };
    hosts.is_empty() || hosts.iter().any(matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(url: &str, hosts: &[&str]) -> Result<(), String> {
        let options = HttpOptions {
            hosts: hosts.iter().map(ToString::to_string).collect(),
            ..HttpOptions::default()
        };
        check(&Url::parse(url).unwrap(), &options)
    }

    #[test]
    fn an_address_in_any_spelling_is_judged() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://169.254.169.254/latest/meta-data",
            "https://10.0.0.1:8443/",
            "http://0/",
            "http://[fe80::1]/",
            "http://192.168.0.1./",
        ] {
            let error = verdict(url, &[]).expect_err(url);
            assert!(error.contains("is not allowed"), "{url}: {error}");
        }
        for url in [
            "http://1.1.1.1/",
            "https://example.com/a?b=c",
            "http://[2606:4700::1111]/",
        ] {
            assert_eq!(verdict(url, &[]), Ok(()), "{url}");
        }
    }

    #[test]
    fn other_schemes_and_credentials_are_refused() {
        for url in [
            "file:///etc/passwd",
            "ftp://example.com/",
            "http://a:b@example.com/",
            "data:,x",
        ] {
            assert!(verdict(url, &[]).is_err(), "{url}");
        }
    }

    #[test]
    fn hosts_are_compared_whole_or_by_their_domain() {
        let hosts = ["api.example.com", "*.example.org"];
        let check =
            |url: &str, expected| assert_eq!(verdict(url, &hosts).is_ok(), expected, "{url}");
        check("https://api.example.com/", true);
        check("https://API.example.com./", true);
        check("https://a.b.example.org/", true);
        check("https://example.org/", false);
        check("https://evilexample.org/", false);
        check("https://api.example.com.evil.org/", false);
        check("https://1.1.1.1/", false);
    }
}
