// SPDX-License-Identifier: MIT OR Apache-2.0
// What the tests of pages share: a browser, pages that may not complain, profiles, and querytap itself.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import zlib from 'node:zlib';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const program = process.env.QUERYTAP ?? path.join(root, 'bin/querytap');

// A folder of this test file alone, removed when it ends.
export const temp = fs.mkdtempSync(path.join(os.tmpdir(), 'querytap-browser-'));
after(() => fs.rmSync(temp, { recursive: true, force: true }));

const playwright = await import('playwright-core').catch(() => undefined);
const chromium = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome']
	.filter(Boolean)
	.flatMap((name) => (name.includes('/') ? [name] : process.env.PATH.split(':').map((dir) => path.join(dir, name))))
	.find((file) => fs.existsSync(file));

// Why pages cannot be opened here, or false: for the option `skip` of tests.
export const noBrowser = !playwright
	? 'playwright-core is not installed: scripts/setup --browser'
	: !chromium && 'there is no Chromium: scripts/setup --browser';

// Runs querytap and returns what it writes to standard output; fails if it exits with anything but 0.
export function querytap(...args) {
	return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'pipe'] });
}

// Runs querytap and returns { status, stdout, stderr }.
export function tryQuerytap(...args) {
	return spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 30 });
}

// The path of a profile of tests/golden/, unpacked into the test's folder.
export function goldenProfile(name) {
	const file = path.join(temp, `${name}.mm_profdata`);
	if (!fs.existsSync(file)) {
		const packed = fs.readFileSync(path.join(root, 'tests/golden', `${name}.mm_profdata.gz`));
		fs.writeFileSync(file, zlib.gunzipSync(packed));
	}
	return file;
}

let browser;
after(() => browser?.close());

// Opens `file` by its file: address and gives the page (Playwright's) to `use`. The options: dark, width, height,
// hash (behind the address), reducedMotion. Afterwards, nothing may have been said on the console as an error or a
// warning, nothing thrown, and nothing asked of the network.
export async function withPage(file, options, use) {
	browser ??= await playwright.chromium.launch({ executablePath: chromium, chromiumSandbox: false });
	const context = await browser.newContext({
		colorScheme: options.dark ? 'dark' : 'light',
		viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
		reducedMotion: options.reducedMotion ?? 'no-preference',
	});
	const complaints = [];
	try {
		const page = await context.newPage();
		page.on('console', (message) => {
			if (['error', 'warning'].includes(message.type()))
				complaints.push(`console: ${message.text()}`);
		});
		page.on('pageerror', (error) => complaints.push(`thrown: ${error.stack ?? error}`));
		page.on('request', (request) => {
			if (!/^(file|data|blob):/.test(request.url()))
				complaints.push(`network: ${request.url()}`);
		});
		await page.goto(pathToFileURL(file).href + (options.hash ?? ''), { waitUntil: 'load' });
		await use(page);
	} finally {
		await context.close();
	}
	assert.deepEqual(complaints, []);
}

// Takes a picture of the page as NAME.png in the folder QUERYTAP_SCREENSHOTS, or in the test's own.
export async function screenshot(page, name) {
	const folder = process.env.QUERYTAP_SCREENSHOTS ?? temp;
	fs.mkdirSync(folder, { recursive: true });
	const file = path.join(folder, `${name}.png`);
	await page.screenshot({ path: file });
	return file;
}

// Whether the page's background is darker than the middle.
export async function isDark(page) {
	const file = await page.screenshot({ clip: { x: 0, y: 0, width: 4, height: 4 } });
	return page.evaluate(async (bytes) => {
		const image = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: 'image/png' }));
		const canvas = new OffscreenCanvas(4, 4).getContext('2d');
		canvas.drawImage(image, 0, 0);
		const [red, green, blue] = canvas.getImageData(1, 1, 1, 1).data;
		return red + green + blue < 384;
	}, [...file]);
}
