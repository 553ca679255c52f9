//! Which network addresses a web hook may lead to.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of address it is, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Public,
    /// The operator's own network or this machine.
    Private,
    /// Never a receiver of alerts: link-local (where clouds keep their metadata), unspecified, multicast, reserved.
    Never(&'static str),
}

/// An address that no alert is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("{0} is an address that no alert is sent to: {1}")]
    Never(IpAddr, &'static str),
    #[error("{0} is a private address; `allow_private = true` in this notifier allows it")]
    Private(IpAddr),
}

/// Whether alerts may be sent there.
pub(crate) fn check(address: IpAddr, allow_private: bool) -> Result<(), AddressError> {
    match kind(address) {
        Kind::Never(what) => Err(AddressError::Never(address, what)),
        Kind::Private if !allow_private => Err(AddressError::Private(address)),
        Kind::Private | Kind::Public => Ok(()),
    }
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        [0, ..] => Kind::Never("unspecified"),
        [169, 254, ..] => Kind::Never("link-local"),
        // Instance metadata of Alibaba and Oracle clouds.
        [100, 100, 100, 200] | [192, 0, 0, _] => Kind::Never("metadata of a cloud"),
        [224..=239, ..] => Kind::Never("multicast"),
        [240..=255, ..] => Kind::Never("reserved"),
        // RFC 1918, loopback, RFC 6598 (shared by a carrier's customers), RFC 2544 (benchmarks).
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18 | 19, ..] => {
            Kind::Private
        }
        _ => Kind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        kind_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Kind::Never("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Kind::Private,
        // An IPv4 address in other clothes: mapped, compatible, NAT64 (RFC 6052), 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => embedded(high, low),
        [0xfe80..=0xfebf, ..] => Kind::Never("link-local"),
        [0xff00..=0xffff, ..] => Kind::Never("multicast"),
        // Instance metadata of Amazon and Google clouds.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => {
            Kind::Never("metadata of a cloud")
        }
        // Unique local (RFC 4193), site-local, the local NAT64 prefix (RFC 8215).
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => Kind::Private,
        _ => Kind::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_the_kind_that_the_registries_say() {
        for (address, is_never, is_private) in [
            ("93.184.216.34", false, false),
            ("2606:2800:220:1::1", false, false),
            ("10.1.2.3", false, true),
            ("127.0.0.1", false, true),
            ("172.31.255.255", false, true),
            ("172.32.0.1", false, false),
            ("192.168.0.1", false, true),
            ("100.64.0.1", false, true),
            ("100.100.100.200", true, false),
            ("100.128.0.1", false, false),
            ("::1", false, true),
            ("fd12:3456::1", false, true),
            ("::ffff:10.0.0.1", false, true),
            ("64:ff9b::10.0.0.1", false, true),
            ("2002:0a00:0001::", false, true),
            ("0.0.0.0", true, false),
            ("169.254.169.254", true, false),
            ("::ffff:169.254.169.254", true, false),
            ("64:ff9b::169.254.169.254", true, false),
            ("2002:a9fe:a9fe::1", true, false),
            ("224.0.0.1", true, false),
            ("255.255.255.255", true, false),
            ("192.0.0.192", true, false),
            ("::", true, false),
            ("fe80::1", true, false),
            ("ff02::1", true, false),
            ("fd00:ec2::254", true, false),
        ] {
            let parsed = address.parse().unwrap();
            let expected = (!is_never, !is_never && !is_private);
            let found = (check(parsed, true).is_ok(), check(parsed, false).is_ok());
            assert_eq!(found, expected, "{address}");
        }
    }

    #[test]
    fn a_private_address_says_how_it_can_be_allowed() {
        let error = check("10.0.0.1".parse().unwrap(), false).unwrap_err();
        assert!(error.to_string().contains("allow_private = true"), "{error}");
    }
}
