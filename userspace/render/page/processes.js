// SPDX-License-Identifier: MIT OR Apache-2.0
'use strict';
// All processes of a build, as build.json tells of them: the timeline's rows, and what is told of one.
figures.processes = (data, compilers, name_of) => {
	const { element, number, milliseconds, time, plural } = figures;
	const kinds = ['linker', 'build script', 'cargo', 'other'];
	const mebibytes = (bytes) => `${number(bytes / 2 ** 20, bytes < 2 ** 24 ? 1 : 0)} MiB`;
	const rows = data.all.processes.map((row) => ({ ...row, length: row.end_ns - row.start_ns, children: [], account: true }));
	const of_compiler = new Map();
	let lanes = data.all.lanes;

	for (const row of rows) {
		row.process = row.process === null ? undefined : compilers[row.process];
		row.parent = row.parent === null ? undefined : rows[row.parent];
		row.parent?.children.push(row);
		row.in_chain = row.process?.in_chain ?? false;
		if (row.process) {
			row.name = row.process.name;
			of_compiler.set(row.process, row);
		}
		row.label = row.process ? name_of(row.process) : `${row.name} (${row.process_id})`;
	}
	// A process that compiled, and then became another compiler, has two profiles; an older recording's have no process.
	for (const process of compilers) {
		if (of_compiler.has(process)) continue;
		let row = rows.find(
			(one) => one.process?.process_id === process.process_id && one.start_ns <= process.start_ns && process.start_ns <= one.end_ns,
		);
		if (!row) {
			row = { ...process, process, kind: 'compiler', label: name_of(process), lane: data.all.lanes + process.lane, children: [] };
			lanes = Math.max(lanes, row.lane + 1);
			rows.push(row);
		}
		of_compiler.set(process, row);
	}
	rows.sort((a, b) => a.start_ns - b.start_ns || a.lane - b.lane);

	const cpu_of = (row) => (row.user_ns === null ? undefined : row.user_ns + row.system_ns);

	const end_of = (row) =>
		row.signal !== null ? `ended by signal ${row.signal}`
			: row.exit_code !== null ? `exit status ${row.exit_code}`
				: 'still ran when the recording stopped';

	// One line: how it ended and what it used, as far as that is known.
	function account(row) {
		const parts = [end_of(row)];
		const cpu = cpu_of(row);
		if (cpu !== undefined) parts.push(`CPU time ${time(cpu)}`);
		if (row.peak_bytes !== null) parts.push(`peak memory ${mebibytes(row.peak_bytes)}`);
		return parts.join(', ');
	}

	const link = (row, select) => element('button', { type: 'button', click: () => select(row, true) }, row.label);

	const columns = [
		{ title: 'Process', get: (row) => row.label },
		{ title: 'Start, s', number: true, get: (row) => row.start_ns, cell: (row) => number(row.start_ns / 1e9, 3) },
		{ title: 'Took, ms', number: true, descending: true, get: (row) => row.length, cell: (row) => milliseconds(row.length) },
		{ title: 'CPU time, ms', number: true, descending: true, get: (row) => cpu_of(row) ?? -1, cell: (row) => (cpu_of(row) === undefined ? '' : milliseconds(cpu_of(row))) },
		{ title: 'Peak memory', number: true, descending: true, get: (row) => row.peak_bytes ?? -1, cell: (row) => (row.peak_bytes === null ? '' : mebibytes(row.peak_bytes)) },
		{ title: 'Ended', get: end_of },
	];

	// What is known of a row's process beyond its profile, with ways to its parent and its children.
	function details(row, select) {
		if (!row.account) return [];
		const text = account(row);
		const shown = [
			element('p', {}, `${text[0].toUpperCase()}${text.slice(1)}.`, row.joined ? ' It ran before it was followed.' : ''),
		];
		if (row.parent) shown.push(element('p', { class: 'started-by' }, 'Started by ', link(row.parent, select)));
		if (row.children.length) {
			const table = figures.table({ name: `Started by ${row.label}`, columns, sort: 1, tall: true, select: (child) => select(child, true) });
			table.show(row.children);
			shown.push(element('h3', {}, `Started ${plural(row.children.length, 'process', 'processes')}`), table.node);
		}
		return shown;
	}

	function notes() {
		const list = [
			'CPU time is that of a process’s own threads, without its children’s; peak memory is that of the program that it was last.',
		];
		if (data.all.lost) list.push(`${plural(data.all.lost, 'record')} about processes found no room: some may lack their end, a program, or be missing.`);
		return list;
	}

	return {
		rows,
		lanes,
		row_of: (process) => of_compiler.get(process),
		account,
		details,
		notes,
		legend: () => kinds.map((kind) => element('span', { class: kind.replace(' ', '-') }, kind === 'other' ? 'other processes' : kind)),
	};
};
