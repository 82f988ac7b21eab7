//! Which addresses the console may call on somebody's behalf. A webhook must not be a way into the network that the console stands in:
//! its neighbours, the cloud's metadata service, itself.

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Whether an address belongs to the public internet. What is reserved for anything else does not.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !reserved
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    // Several ways to write an IPv4 address: what counts is that one.
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low] => inner(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inner(high, low),
        [0x2002, high, low, ..] => inner(high, low),
        // Only 2000::/3 is given out; of it, Teredo, benchmarks, ORCHID and documentation are not for this.
        [0x2001, second, ..] if second < 0x200 => false,
        [0x2001, 0xdb8, ..] | [0x3fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// Why an address cannot be a webhook's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    #[error("it is not an address: {0}. It looks like https://example.com/events")]
    NotAUrl(String),
    #[error("it must begin with https://")]
    NotHttps,
    #[error("it must not hold a user name or a password; what is sent is signed instead")]
    WithPassword,
    #[error("it has no host")]
    NoHost,
    #[error("{0} is not an address of the public internet, and this console does not call others")]
    Private(String),
}

/// Which addresses are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Also addresses that are not of the public internet, and http: for receivers beside the console.
    pub private: bool,
}

impl Policy {
    /// Reads an address, and refuses it if it names what is not to be called. A name may still lead there: see [`Guarded`].
    pub fn check(self, text: &str) -> Result<Url, BadAddress> {
        let url = Url::parse(text).map_err(|error| BadAddress::NotAUrl(error.to_string()))?;
        match url.scheme() {
            "https" => {}
            "http" if self.private => {}
            _ => return Err(BadAddress::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadAddress::WithPassword);
        }
        let host = url.host_str().ok_or(BadAddress::NoHost)?;
        // The parser has brought every way to write an IPv4 address to this one.
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(address) if !self.allows(address) => Err(BadAddress::Private(address.to_string())),
            _ => Ok(url),
        }
    }

    fn allows(self, address: IpAddr) -> bool {
        self.private || is_public(address)
    }
}

/// Resolves names, and leaves out addresses that are not to be called. The connection is made to what was checked: a name that is asked for
/// twice could answer differently.
#[derive(Clone, Copy, Debug)]
pub struct Guarded(pub Policy);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.iter().copied().filter(|found| policy.allows(found.ip())).collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(BadAddress::Private(host).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for text in [
            "127.0.0.1",
            "127.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:0a00:0001::1",
            "2001:db8::1",
            "2001::1",
            "::127.0.0.1",
            "fec0::1",
            "100::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_address_is_refused_with_the_reason() {
        let strict = Policy::default();
        assert!(strict.check("https://example.com/events?x=1").is_ok());
        assert_eq!(strict.check("http://example.com/"), Err(BadAddress::NotHttps));
        assert_eq!(strict.check("ftp://example.com/"), Err(BadAddress::NotHttps));
        assert_eq!(strict.check("https://me:secret@example.com/"), Err(BadAddress::WithPassword));
        assert!(matches!(strict.check("example.com"), Err(BadAddress::NotAUrl(_))));
        // However it is written.
        for text in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::1]:8080/",
            "https://[::ffff:7f00:1]/",
        ] {
            assert!(matches!(strict.check(text), Err(BadAddress::Private(_))), "{text}");
        }
        assert!(Policy { private: true }.check("http://127.0.0.1:9000/").is_ok());
    }
}
