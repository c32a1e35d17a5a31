// SPDX-License-Identifier: MIT OR Apache-2.0
// Drop glue of a type that grows for ever, found by the collector.
struct Wrap<T>(T);
trait Step {
    type Next;
}
impl<T> Step for Wrap<T> {
    type Next = Endless<Wrap<Wrap<T>>>;
}
struct Endless<T: Step>(Option<Box<<T as Step>::Next>>, String);

fn main() {
    let e: Endless<Wrap<u8>> = Endless(None, String::new());
    let v = vec![e];
    drop(v);
}
