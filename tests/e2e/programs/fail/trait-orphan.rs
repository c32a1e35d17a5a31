// SPDX-License-Identifier: MIT OR Apache-2.0
impl std::fmt::Display for Vec<u8> {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl<T> Clone for Box<T> {
    fn clone(&self) -> Self {
        loop {}
    }
}

impl u8 {
    fn mine(self) {}
}

fn main() {}
