// SPDX-License-Identifier: MIT OR Apache-2.0
fn call<F>(f: F)
where
    F: for<'a> Fn(&'a str) -> &'a str,
{
    f("");
}

fn stat(s: &'static str) -> &'static str {
    s
}

fn main() {
    call(stat);
    let mut kept = "";
    call(|s| {
        kept = s;
        s
    });
}
