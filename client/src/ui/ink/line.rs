//! Lines as points in canvas units: how they are thinned out, drawn, and met. Pure.

/// A place on the cloth.
pub type Point = (f64, f64);

/// The same line with fewer points, none of which is farther from it than `tolerance` (Ramer 1972; Douglas and Peucker 1973).
pub fn simplified(points: &[Point], tolerance: f64) -> Vec<Point> {
    if points.len() < 3 {
        return points.to_vec();
    }
    let mut kept = vec![false; points.len()];
    let last = points.len() - 1;
    (kept[0], kept[last]) = (true, true);
    let mut open = vec![(0, last)];
    while let Some((from, to)) = open.pop() {
        let farthest = (from + 1..to)
            .map(|i| (i, to_segment(points[i], points[from], points[to])))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((i, _)) = farthest.filter(|(_, away)| *away > tolerance) {
            kept[i] = true;
            open.extend([(from, i), (i, to)]);
        }
    }
    points.iter().zip(kept).filter_map(|(point, kept)| kept.then_some(*point)).collect()
}

/// As the `d` of an SVG path: curves through the middles between points, so that corners of a quick hand are round.
pub fn path(points: &[Point]) -> String {
    let Some((x, y)) = points.first() else { return String::new() };
    let mut path = format!("M{x:.1} {y:.1}");
    let mut push = |part: String| path.push_str(&part);
    match points {
        // A line to where it is already is a dot, with round ends.
        [(x, y)] | [_, (x, y)] => push(format!("L{x:.1} {y:.1}")),
        _ => {
            for pair in points[1..].windows(2) {
                let ((x, y), next) = (pair[0], pair[1]);
                push(format!("Q{x:.1} {y:.1} {:.1} {:.1}", (x + next.0) / 2.0, (y + next.1) / 2.0));
            }
            if let Some((x, y)) = points.last() {
                push(format!("L{x:.1} {y:.1}"));
            }
        }
    }
    path
}

/// How far a line is from a place.
pub fn distance(points: &[Point], from: Point) -> f64 {
    match points {
        [] => f64::INFINITY,
        [only] => to_segment(from, *only, *only),
        _ => points.windows(2).map(|pair| to_segment(from, pair[0], pair[1])).fold(f64::INFINITY, f64::min),
    }
}

/// Left, top, right and bottom of lines; none if there are none.
pub fn bounds<'a>(points: impl Iterator<Item = &'a Point>) -> Option<(f64, f64, f64, f64)> {
    points.fold(None, |bounds, (x, y)| {
        let (left, top, right, bottom) = bounds.unwrap_or((*x, *y, *x, *y));
        Some((left.min(*x), top.min(*y), right.max(*x), bottom.max(*y)))
    })
}

fn to_segment(point: Point, from: Point, to: Point) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 { ((point.0 - from.0) * dx + (point.1 - from.1) * dy) / length } else { 0.0 };
    let along = along.clamp(0.0, 1.0);
    (point.0 - from.0 - along * dx).hypot(point.1 - from.1 - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_needs_its_ends_alone() {
        let straight: Vec<Point> = (0..100).map(|i| (f64::from(i), 2.0 * f64::from(i))).collect();
        assert_eq!(simplified(&straight, 0.5), [(0.0, 0.0), (99.0, 198.0)]);
        assert_eq!(simplified(&[(1.0, 1.0)], 0.5), [(1.0, 1.0)]);
    }

    #[test]
    fn a_circle_keeps_its_shape() {
        let circle: Vec<Point> =
            (0..=360).map(|i| f64::from(i).to_radians()).map(|a| (100.0 * a.cos(), 100.0 * a.sin())).collect();
        let fewer = simplified(&circle, 0.5);
        assert!(fewer.len() < 60, "{} points", fewer.len());
        assert!(circle.iter().all(|point| distance(&fewer, *point) <= 0.5));
        assert_eq!(fewer[0], circle[0]);
    }

    #[test]
    fn a_dot_is_drawn_and_met() {
        assert_eq!(path(&[(3.0, 4.0)]), "M3.0 4.0L3.0 4.0");
        assert!((distance(&[(3.0, 4.0)], (0.0, 0.0)) - 5.0).abs() < 1e-9);
        assert_eq!(path(&[]), "");
        assert!(distance(&[], (0.0, 0.0)).is_infinite());
        assert_eq!(bounds([(1.0, 5.0), (-2.0, 7.0)].iter()), Some((-2.0, 5.0, 1.0, 7.0)));
    }
}
