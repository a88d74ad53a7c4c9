//! How many connections a peer holds, from one place and altogether.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts the connections that are open.
#[derive(Clone, Debug)]
pub struct Guests {
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most: usize,
    most_per_place: usize,
}

impl Guests {
    /// With room for so many altogether, and for so many of one place.
    pub fn new(most: usize, most_per_place: usize) -> Self {
        Self { open: Arc::default(), most, most_per_place }
    }

    /// Lets a connection in; `None` where there are too many.
    pub fn admit(&self, address: IpAddr) -> Option<Guest> {
        let place = place_of(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let altogether: usize = open.values().sum();
        let there = open.get(&place).copied().unwrap_or(0);
        if altogether >= self.most || there >= self.most_per_place {
            return None;
        }
        open.insert(place, there + 1);
        Some(Guest { guests: self.clone(), place })
    }
}

/// One connection that is open.
#[derive(Debug)]
pub struct Guest {
    guests: Guests,
    place: IpAddr,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut open = self.guests.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.place) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.place);
            }
        }
    }
}

/// Whom an address counts for: a subscriber commands a whole /64 of IPv6.
pub fn place_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_hold_and_leaving_makes_room() {
        let guests = Guests::new(3, 2);
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = guests.admit(a).unwrap();
        let _second = guests.admit(a).unwrap();
        assert!(guests.admit(a).is_none());
        let _third = guests.admit(b).unwrap();
        assert!(guests.admit(b).is_none(), "three altogether");
        drop(first);
        assert!(guests.admit(b).is_some());
    }

    #[test]
    fn a_subscribers_whole_prefix_counts_as_one_place() {
        let guests = Guests::new(9, 1);
        let _first = guests.admit("2001:db8:0:1::1".parse().unwrap()).unwrap();
        assert!(guests.admit("2001:db8:0:1:ffff::2".parse().unwrap()).is_none());
        assert!(guests.admit("2001:db8:0:2::1".parse().unwrap()).is_some());
    }

    #[test]
    fn no_memory_is_kept_of_those_who_left() {
        let guests = Guests::new(9, 9);
        drop(guests.admit("192.0.2.1".parse().unwrap()));
        assert!(guests.open.lock().unwrap().is_empty());
    }
}
