// SPDX-License-Identifier: MIT OR Apache-2.0
// flags: -C linker=/no/such/linker
fn main() {}
