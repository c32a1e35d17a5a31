// SPDX-License-Identifier: MIT OR Apache-2.0
// Instantiation never ends: the collector gives up from within its recursion.
fn grow<T: std::fmt::Debug>(n: u32, t: T) {
    if n > 0 {
        grow(n - 1, (t, n));
    }
}

fn warm_up() -> Vec<String> {
    let mut m = std::collections::BTreeMap::new();
    for (i, w) in "many words before the end".split(' ').enumerate() {
        m.entry(w.len()).or_insert_with(Vec::new).push((i, w));
    }
    m.into_iter().map(|(k, v)| format!("{k}: {v:?}")).collect()
}

fn main() {
    println!("{:?}", warm_up());
    grow(3, 'x');
}
