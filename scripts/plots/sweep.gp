# SPDX-License-Identifier: GPL-2.0-only
# A metric against a setting. One data block a line, its name first: (setting, median, lowest,
# highest). Set with -e: axis, ylabel_text, xtics_format ("bytes" or gnuplot's), ytics_format, binary
# (1: y in bytes, powers of two), colours and dashes, a number for each line.
file = name.".dat"
lines = words(colours)
stats file using 1 name "X" nooutput
stats file using 4 name "HIGH" nooutput
limit = (HIGH_max > 0 ? HIGH_max : 1) * 1.1
step = binary ? binary_step(limit / 6.) : tic_step(limit)

if (X_min > 0 && X_max >= 8 * X_min) { set logscale x 10 }
set xrange [X_min > 0 ? X_min * 0.8 : X_min : X_max > X_min ? X_max * 1.25 : X_min + 1]
set yrange [0:limit]
set ytics step
set grid ytics linetype 1 linewidth 0.7 linecolor rgb faint
unset mxtics
set xtics ()
set format y ytics_format
if (binary) {
	set ytics ()
	do for [i = 0:int(limit / step)] { set ytics add (binary_name(i * step) i * step) }
}
x_name(x) = xtics_format eq "bytes" ? binary_name(x) : gprintf(xtics_format, x)
set xlabel axis textcolor rgb ink offset 0,0.4
set ylabel ylabel_text textcolor rgb ink
set key outside bottom center horizontal Left reverse maxcols 1 samplen 2.4 width 1 height 0.8

do for [draw in "svg png"] {
	eval (draw eq "svg" ? draw_svg : draw_png)
	plot for [line = 0:lines - 1] file index line using ($4 > $3 ? $1 : NaN):2:3:4 with yerrorbars \
			pointtype 7 pointsize 0 linewidth 1 linecolor rgb int(word(colours, line + 1)) notitle, \
		for [line = 0:lines - 1] file index line using 1:2:xtic(x_name($1)) with linespoints linewidth 2 \
			pointtype 7 pointsize 0.5 dashtype int(word(dashes, line + 1)) \
			linecolor rgb int(word(colours, line + 1)) title columnheader(1)
}
unset output
