// SPDX-License-Identifier: MIT OR Apache-2.0
// flags: -D dead_code -D unused-must-use -D unreachable-patterns
fn dead() {}

fn main() {
    Ok::<u8, u8>(1);
    match 1 {
        _ => {}
        1 => {}
    }
}
