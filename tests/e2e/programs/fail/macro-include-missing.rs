// SPDX-License-Identifier: MIT OR Apache-2.0
include!("no_such_file.rs");

const BYTES: &[u8] = include_bytes!("no_such_file.bin");
const TEXT: &str = include_str!("../outside/no_such_file.txt");

fn main() {}
