//! Whether `NO_PROXY` excludes the API server.
//!
//! kube compares the variable with the proxy's own address instead of the server's.

use std::net::IpAddr;

use super::variable;

/// Whether the environment says that this server is reached without a proxy.
pub(super) fn applies(server: &http::Uri) -> bool {
    let list = variable("NO_PROXY")
        .or_else(|| variable("no_proxy"))
        .unwrap_or_default();
    server
        .host()
        .is_some_and(|host| excludes(&list, host.trim_matches(['[', ']'])))
}

fn excludes(list: &str, host: &str) -> bool {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .any(|item| {
            item == "*"
                || item == host
                || in_network(item, host)
                || host
                    .strip_suffix(item.trim_start_matches('.'))
                    .is_some_and(|rest| rest.ends_with('.'))
        })
}

fn in_network(item: &str, host: &str) -> bool {
    let Some((network, bits)) = item.split_once('/') else {
        return false;
    };
    let (Ok(network), Ok(host), Ok(bits)) = (
        network.parse::<IpAddr>(),
        host.parse::<IpAddr>(),
        bits.parse::<u32>(),
    ) else {
        return false;
    };
    match (network, host) {
        (IpAddr::V4(network), IpAddr::V4(host)) if bits <= 32 => {
            let shift = 32 - bits;
            u64::from(network.to_bits()) >> shift == u64::from(host.to_bits()) >> shift
        }
        (IpAddr::V6(network), IpAddr::V6(host)) if bits <= 128 => {
            bits == 0 || network.to_bits() >> (128 - bits) == host.to_bits() >> (128 - bits)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_domains_and_networks_are_excluded() {
        assert!(excludes("10.0.0.1", "10.0.0.1"));
        assert!(excludes("a.example, 10.0.0.0/8", "10.9.8.7"));
        assert!(excludes(".example", "api.example"));
        assert!(excludes("*", "anything"));
        assert!(!excludes("10.0.0.0/8", "11.0.0.1"));
        assert!(!excludes("example", "notexample"));
        assert!(!excludes("", "10.0.0.1"));
    }
}
