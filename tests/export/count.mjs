// SPDX-License-Identifier: MIT OR Apache-2.0
// count.mjs FILE: prints how many samples are in what export wrote, as other programs' parsers find them there. Exits
// with 3 if these are not installed.
import { noPprof, readJson, readPprof } from './read.mjs';

const file = process.argv[2];
if (/\.pb\.gz$/.test(file)) {
	if (noPprof) {
		console.error(noPprof);
		process.exit(3);
	}
	console.log(readPprof(file).sample.reduce((sum, sample) => sum + Number(sample.value[0]), 0));
} else {
	console.log(readJson(file).threads.reduce((sum, thread) => sum + thread.samples.length, 0));
}
