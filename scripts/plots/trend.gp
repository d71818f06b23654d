# SPDX-License-Identifier: GPL-2.0-only
# A metric over the nights. Data blocks: points (time, value), levels (time, value; an empty line
# ends each), changes (time, colour), times from which the environment is another one, suspected
# points (time, value). Set before: first, last (times), low, high (shown values), scale (from
# values to shown ones), unit.
file = name.".dat"

set xdata time
set timefmt "%s"
set xrange [first:last]
set yrange [low:high]
set xtics first, (last - first) / 3.
set format x (last - first > 3 * 86400 ? "%d %b\n%Y" : "%d %b\n%H:%M")
set format y "%g"
set ylabel unit textcolor rgb ink noenhanced
set rmargin 4
unset grid
set grid ytics linetype 1 linewidth 0.7 linecolor rgb faint
unset key

eval draw_svg
plot file index 3 using 1:(low):(0):(high - low) with vectors nohead linecolor rgb ink \
		linewidth 1 dashtype 3, \
	file index 2 using 1:(low):(0):(high - low):2 with vectors nohead linewidth 2 \
		linecolor rgb variable, \
	file index 0 using 1:($2 * scale) with points pointtype 6 pointsize 0.35 linecolor rgb ink, \
	file index 1 using 1:($2 * scale) with lines linewidth 2.5 linecolor rgb "#0072b2", \
	file index 4 using 1:($2 * scale) with points pointtype 7 pointsize 0.9 linecolor rgb "#d55e00"
unset output
