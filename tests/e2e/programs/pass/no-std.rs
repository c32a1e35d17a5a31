// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc --crate-type lib --emit obj -C panic=abort no-std.rs
#![no_std]
use core::fmt::Write;

pub struct Fixed([u8; 16], usize);

impl Write for Fixed {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        for b in s.bytes() {
            *self.0.get_mut(self.1).ok_or(core::fmt::Error)? = b;
            self.1 += 1;
        }
        Ok(())
    }
}

pub fn number(x: u32) -> Result<Fixed, core::fmt::Error> {
    let mut f = Fixed([0; 16], 0);
    write!(f, "{x:>8}")?;
    Ok(f)
}
