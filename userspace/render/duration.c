/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "render/render.h"

#include <inttypes.h>

static uint64_t power_of_10(int exponent)
{
	uint64_t power = 1;

	while (exponent-- > 0)
		power *= 10;
	return power;
}

void render_amount(char text[RENDER_DURATION_SIZE], uint64_t amount, const char *unit, int decimals)
{
	if (unit)
		snprintf(text, RENDER_DURATION_SIZE, "%" PRIu64, amount);
	else
		render_duration(text, amount, decimals);
}

void render_duration(char text[RENDER_DURATION_SIZE], uint64_t ns, int decimals)
{
	const char *unit = ns >= 1000000000 ? "s" : ns >= 1000000 ? "ms" : ns >= 1000 ? "\xC2\xB5s" : "ns";
	int digits = ns >= 1000000000 ? 9 : ns >= 1000000 ? 6 : ns >= 1000 ? 3 : 0;
	uint64_t whole = ns / power_of_10(digits), fraction = ns % power_of_10(digits);
	int shown = decimals < 0 ? digits : decimals;

	if (decimals < 0) {
		for (; shown && fraction % 10 == 0; shown--)
			fraction /= 10;
	} else if (shown < digits) {
		uint64_t divisor = power_of_10(digits - shown);
		uint64_t rest = fraction % divisor;
		bool odd;

		fraction /= divisor;
		odd = (shown ? fraction : whole) % 2;
		if (2 * rest > divisor || (2 * rest == divisor && odd))
			fraction++;
		whole += fraction / power_of_10(shown);
		fraction %= power_of_10(shown);
	} else {
		fraction *= power_of_10(shown - digits);
	}
	if (shown)
		snprintf(text, RENDER_DURATION_SIZE, "%" PRIu64 ".%0*" PRIu64 "%s", whole, shown, fraction, unit);
	else
		snprintf(text, RENDER_DURATION_SIZE, "%" PRIu64 "%s", whole, unit);
}
