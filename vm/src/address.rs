//! Addresses of the Internet protocol and networks of them, as rules about `in_cidr` read them.

use core::net::IpAddr;

/// A network: an address and how many of its leading bits count. An address alone is the network of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The address's bits, from the highest on.
    bits: u128,
    /// How many bits an address of this version has.
    width: u32,
    prefix: u32,
}

impl Network {
    /// Reads `ADDRESS` or `ADDRESS/BITS`; `None` for any other text. Numbers have no leading zeros, so that no text can
    /// be read as two addresses; zones and netmasks are no part of it. Bits behind the prefix don't count.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Network> {
        let text = str::from_utf8(text).ok()?;
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(small(prefix)?)),
            None => (text, None),
        };
        let (bits, width) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let prefix = prefix.unwrap_or(width);
        (prefix <= width).then_some(Network { bits, width, prefix })
    }

    /// Whether all addresses of the other network are in this one. Versions never mix.
    #[must_use]
    pub const fn has(self, other: Network) -> bool {
        let differing = self.bits ^ other.bits;
        self.width == other.width && self.prefix <= other.prefix && differing.leading_zeros() >= self.prefix
    }
}

/// A number of at most three digits, written in the one way.
fn small(text: &str) -> Option<u32> {
    let is_plain = !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_shortest = text == "0" || !text.starts_with('0');
    if is_plain && is_shortest { text.parse().ok() } else { None }
}
