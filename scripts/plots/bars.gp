# SPDX-License-Identifier: GPL-2.0-only
# Horizontal bars in groups. Data blocks: bars (y, value, low, high, colour, name, text),
# headings (y, text), dots (y, value), groups (y of the first bar, of the last). Set with -e:
# rows, axis, tics (their format), binary (1:
# tics are powers of two), reference (x of a line through each group, 0: none).
file = name.".dat"
stats file index 0 using 4 name "HIGH" nooutput
limit = (HIGH_max > reference ? HIGH_max : reference) * 1.2

set yrange [-rows + 0.4:0.6]
set xrange [0:limit > 0 ? limit : 1]
step = binary ? binary_step(limit > 0 ? limit / 5 : 1) : tic_step(limit)
set xtics step
set border 0
set ytics scale 0
set format x tics
if (binary) {
	set xtics ()
	do for [i = 0:int(limit / step)] { set xtics add (binary_name(i * step) i * step) }
}
set xlabel axis textcolor rgb ink offset 0,0.4
unset key

do for [draw in "svg png"] {
	eval (draw eq "svg" ? draw_svg : draw_png)
	plot file index 0 using 2:1:(0):2:($1 - 0.36):($1 + 0.36):5:yticlabels(6) \
			with boxxyerror linecolor rgb variable, \
		file index 3 using (reference):($1 + 0.5):(0):($2 - $1 - 1) with vectors nohead \
			linecolor rgb (reference > 0 ? ink : faint) linewidth 1 dashtype (5, 4), \
		file index 0 using ($4 > $3 ? $2 : NaN):1:3:4 with xerrorbars \
			pointtype 7 pointsize 0 linecolor rgb ink linewidth 1, \
		file index 2 using 2:1 with points pointtype 6 pointsize 0.45 linecolor rgb ink, \
		file index 0 using 4:1:7 with labels left offset 0.8,0 textcolor rgb ink, \
		file index 1 using (0):1:2 with labels left offset 0.2,-0.1 textcolor rgb ink
}
unset output
