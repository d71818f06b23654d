# SPDX-License-Identifier: GPL-2.0-only
# Points with intervals (none: both ends are the point), in groups. Data blocks: points (y, value,
# low, high, colour, symbol, name, text), headings (y, text), one that is not used, groups (y of
# the first point, of the last). Set with -e: rows, axis, tics (their format), reference (x of a
# line through each group that means "the same"), logarithmic (0 or 1).
file = name.".dat"
least(a, b) = a < b ? a : b
most(a, b) = a > b ? a : b
stats file index 0 using 3 name "LOW" nooutput
stats file index 0 using 4 name "HIGH" nooutput
low = least(LOW_min, reference)
high = most(HIGH_max, reference)

# The text behind an interval needs room: half of what there is.
if (logarithmic) {
	span = most(high / low, 1.5)
	set logscale x 10
	set xrange [low / span**0.06:high * span**0.75]
	if (span < 30) { set xtics (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200) } else { set xtics 10 }
} else {
	span = most(high - low, 1e-9)
	set xrange [low - span * 0.06:high + span * 0.75]
	set xtics tic_step(span)
}
set yrange [-rows + 0.4:0.6]
set border 0
set ytics scale 0
set format x tics
set xlabel axis textcolor rgb ink offset 0,0.4
unset key

do for [draw in "svg png"] {
	eval (draw eq "svg" ? draw_svg : draw_png)
	plot file index 3 using (reference):($1 + 0.5):(0):($2 - $1 - 1) with vectors nohead \
			linecolor rgb ink linewidth 1 dashtype (5, 4), \
		file index 0 using ($4 > $3 ? $2 : NaN):1:3:4 with xerrorbars pointtype 7 pointsize 0 \
			linecolor rgb ink linewidth 1.5, \
		file index 0 using 2:1:6:5:yticlabels(7) with points pointsize 0.9 \
			pointtype variable linecolor rgb variable, \
		file index 0 using 4:1:8 with labels left offset 1,0 textcolor rgb ink, \
		file index 1 using (logarithmic ? low / span**0.04 : low - span * 0.04):1:2 \
			with labels left offset 0,-0.1 textcolor rgb ink
}
unset output
