// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    loop {
        break 'outer;
    }
    continue;
    let _ = || break;
}
