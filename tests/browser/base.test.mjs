// SPDX-License-Identifier: MIT OR Apache-2.0
// The base itself: a page that complains is noticed, and light and dark reach it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { isDark, noBrowser, screenshot, temp, withPage } from './lib.mjs';

function page(name, body) {
	const file = path.join(temp, `${name}.html`);
	fs.writeFileSync(file, `<!DOCTYPE html><meta name="color-scheme" content="light dark"><title>${name}</title>${body}`);
	return file;
}

test('a quiet page passes, in light and dark', { skip: noBrowser }, async () => {
	for (const dark of [false, true]) {
		await withPage(page('quiet', '<p>hello'), { dark }, async (opened) => {
			assert.equal(await opened.textContent('p'), 'hello');
			assert.equal(await isDark(opened), dark);
			assert.ok(fs.statSync(await screenshot(opened, `base-${dark ? 'dark' : 'light'}`)).size > 100);
		});
	}
});

for (const [name, body, complaint] of [
	['console', '<script>console.error("oh dear")</script>', /oh dear/],
	['thrown', '<script>throw new Error("oh no")</script>', /oh no/],
	['network', '<script>fetch("http://127.0.0.1:9/x").catch(() => {})</script>', /127\.0\.0\.1:9/],
]) {
	test(`a page that complains fails: ${name}`, { skip: noBrowser }, async () => {
		await assert.rejects(
			withPage(page(name, body), {}, (opened) => opened.waitForTimeout(200)),
			complaint,
		);
	});
}
