// SPDX-License-Identifier: MIT OR Apache-2.0
// Reads what export writes.
import fs from 'node:fs';
import zlib from 'node:zlib';

const pprof = await import('pprof-format').catch(() => undefined);
export const noPprof = !pprof && 'pprof-format is not installed: scripts/setup --browser';

// A profile as pprof-format decodes it.
export function readPprof(file) {
	return pprof.Profile.decode(zlib.gunzipSync(fs.readFileSync(file)));
}

// The JSON of a file, compressed or not.
export function readJson(file) {
	const bytes = fs.readFileSync(file);
	return JSON.parse(bytes[0] === 0x1f ? zlib.gunzipSync(bytes) : bytes);
}
