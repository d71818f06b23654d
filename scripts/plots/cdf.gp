# SPDX-License-Identifier: GPL-2.0-only
# Shares (0 to 1) within a time, on a logarithmic axis. One data block a line, its name first:
# (time in seconds, share). Set with -e: axis, colours and dashes, a number for each line.
file = name.".dat"
lines = words(colours)

set logscale x 10
set yrange [0:1.02]
set ytics ("0" 0, "25 %%" 0.25, "50 %%" 0.5, "75 %%" 0.75, "100 %%" 1)
set grid ytics linetype 1 linewidth 0.7 linecolor rgb faint
set format x "%.0s %cs"
set xlabel axis textcolor rgb ink offset 0,0.4
set key outside bottom center horizontal Left reverse maxcols 1 samplen 1.4 width 1 height 0.8

do for [draw in "svg png"] {
	eval (draw eq "svg" ? draw_svg : draw_png)
	plot for [line = 0:lines - 1] file index line using 1:2 with steps linewidth 2 \
		dashtype int(word(dashes, line + 1)) linecolor rgb int(word(colours, line + 1)) title columnheader(1)
}
unset output
