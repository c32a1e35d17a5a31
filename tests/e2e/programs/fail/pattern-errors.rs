// SPDX-License-Identifier: MIT OR Apache-2.0
struct P {
    x: u8,
    y: u8,
}

fn main() {
    let P { x } = P { x: 1, y: 2 };
    let P { x, y, z } = P { x: 1, y: 2 };
    let Some(a, b) = Some(1);
    match 1 {
        "a" => {}
        5..=1 => {}
        x | y => {}
        1.0 => {}
    }
    match (1, 2) {
        (a, a) => {}
        (.., b, ..) => {}
    }
}
