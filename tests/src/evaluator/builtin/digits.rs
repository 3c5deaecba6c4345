//! All decimal digits of a number, and rounding them as a schoolbook does.

use kerai_vm::number::{Fixed, Float, Number};

/// A magnitude: digits that begin with none that is 0, and how many of them stand before the point.
pub(super) struct Digits {
    digits: Vec<u8>,
    point: i32,
}

impl Digits {
    /// Of plain text: digits, and perhaps a point and more digits.
    fn of_plain(text: &str) -> Digits {
        let text = text.trim_start_matches('-');
        let (integral, fraction) = text.split_once('.').unwrap_or((text, ""));
        let all: Vec<u8> = integral.bytes().chain(fraction.bytes()).map(|digit| digit - b'0').collect();
        let zeros = all.iter().take_while(|&&digit| digit == 0).count();
        let mut digits = Digits { digits: all, point: integral.len() as i32 - zeros as i32 };
        digits.digits.drain(..zeros);
        digits.trim();
        digits
    }

    /// By the standard library, which writes every digit; none of what is not finite.
    pub(super) fn of_float(float: Float) -> Option<Digits> {
        float.is_finite().then(|| Digits::of_plain(&format!("{:.1074}", float.to_f64())))
    }

    pub(super) fn of_number(number: Number) -> Digits {
        let mut text = Vec::new();
        number.write_text(&mut text);
        Digits::of_plain(&String::from_utf8_lossy(&text))
    }

    pub(super) fn of_fixed(fixed: Fixed) -> Digits {
        let magnitude = fixed.to_bits().unsigned_abs();
        let mut text = format!("{}.", magnitude >> 64);
        let mut fraction = magnitude & ((1 << 64) - 1);
        while fraction != 0 {
            fraction *= 10;
            text.push_str(&(fraction >> 64).to_string());
            fraction &= (1 << 64) - 1;
        }
        Digits::of_plain(&text)
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 1;
        }
    }

    /// The digit at a place; those before and behind are zeros.
    fn digit(&self, place: i32) -> u8 {
        b'0' + usize::try_from(place).ok().and_then(|place| self.digits.get(place)).copied().unwrap_or(0)
    }

    pub(super) const fn exponent(&self) -> i32 {
        self.point - 1
    }

    pub(super) fn places(&self) -> usize {
        usize::try_from(self.digits.len() as i32 - self.point).unwrap_or(0)
    }

    /// How many digits there are, at least one.
    pub(super) fn significant(&self) -> usize {
        self.digits.len().max(1)
    }

    /// Rounds to so many digits, a half to the even one.
    pub(super) fn keep(&mut self, count: i32) {
        let Ok(kept) = usize::try_from(count) else {
            // The first digit stands too far behind to count.
            self.digits.clear();
            return self.trim();
        };
        if kept >= self.digits.len() {
            return;
        }
        let rest = self.digits.split_off(kept);
        let is_odd = self.digits.last().is_some_and(|digit| digit % 2 == 1);
        let (first, further) = (rest.first().copied().unwrap_or(0), rest.iter().skip(1).any(|&digit| digit != 0));
        if first > 5 || first == 5 && (further || is_odd) {
            self.add_one();
        }
        self.trim();
    }

    fn add_one(&mut self) {
        let nines = self.digits.iter().rev().take_while(|&&digit| digit == 9).count();
        self.digits.truncate(self.digits.len() - nines);
        match self.digits.last_mut() {
            Some(digit) => *digit += 1,
            None => {
                self.digits.push(1);
                self.point += 1;
            }
        }
    }

    pub(super) fn keep_places(&mut self, places: usize) {
        self.keep(self.point + places as i32);
    }

    /// In plain digits, with so many places.
    pub(super) fn plain(&self, places: usize, always_point: bool, out: &mut Vec<u8>) {
        if self.point <= 0 {
            out.push(b'0');
        }
        out.extend((0..self.point).map(|place| self.digit(place)));
        if places > 0 || always_point {
            out.push(b'.');
        }
        out.extend((0..places as i32).map(|place| self.digit(self.point + place)));
    }

    /// One digit, so many places, and an exponent.
    pub(super) fn scientific(&self, places: usize, always_point: bool, mark: u8, out: &mut Vec<u8>) {
        out.push(self.digit(0));
        if places > 0 || always_point {
            out.push(b'.');
        }
        out.extend((1..=places as i32).map(|place| self.digit(place)));
        let sign = if self.exponent() < 0 { '-' } else { '+' };
        out.push(mark);
        out.extend(format!("{sign}{:02}", self.exponent().unsigned_abs()).bytes());
    }
}
