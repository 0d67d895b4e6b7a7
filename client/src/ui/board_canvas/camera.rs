//! Which part of the tablecloth is seen, and how large. Pure: screen positions are CSS pixels from the canvas's left top corner, cloth
//! positions are canvas units.

/// Smallest and largest zoom by hand.
pub const ZOOM: (f64, f64) = (0.25, 2.0);
/// Smallest zoom at which words are still read; showing all goes no further.
const LEGIBLE: f64 = 0.55;
/// The same in a hand: words of 14 pixels, and buttons that a finger hits.
const LEGIBLE_IN_HAND: f64 = 0.9;
/// Narrower than this (CSS pixels) is a phone.
const IN_HAND: f64 = 700.0;
/// Space around the notes when all are shown.
const MARGIN: f64 = 32.0;

/// A cloth position `p` is seen at `p * zoom + (x, y)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Where the cloth's origin is seen.
    pub x: f64,
    /// Where the cloth's origin is seen.
    pub y: f64,
    /// Pixels per unit.
    pub zoom: f64,
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Default for Camera {
    fn default() -> Self {
        Self { x: 0.0, y: 0.0, zoom: 1.0 }
    }
}

impl Camera {
    /// Where on the cloth a screen position is.
    pub fn to_cloth(self, x: f64, y: f64) -> (f64, f64) {
        ((x - self.x) / self.zoom, (y - self.y) / self.zoom)
    }

    /// Moved by screen pixels.
    pub fn panned(self, dx: f64, dy: f64) -> Self {
        Self { x: self.x + dx, y: self.y + dy, ..self }
    }

    /// Zoomed by a factor; what is seen at the screen position stays there.
    pub fn zoomed(self, factor: f64, x: f64, y: f64) -> Self {
        let zoom = (self.zoom * factor).clamp(ZOOM.0, ZOOM.1);
        let (cx, cy) = self.to_cloth(x, y);
        Self { x: x - cx * zoom, y: y - cy * zoom, zoom }
    }

    /// Shows all of `areas` in a screen of `w` by `h` pixels, if they can be read then; else as much as can be read, from the left top.
    pub fn fitting(areas: &[Area], w: f64, h: f64) -> Self {
        let Some(all) = bounds(areas) else { return Self { x: MARGIN, y: MARGIN, zoom: 1.0 } };
        let legible = if w < IN_HAND { LEGIBLE_IN_HAND } else { LEGIBLE };
        let room = |side: f64| (side - 2.0 * MARGIN).max(1.0);
        let zoom = (room(w) / all.w.max(1.0)).min(room(h) / all.h.max(1.0)).clamp(legible, 1.0);
        let place = |from: f64, size: f64, side: f64| (MARGIN.max((side - size * zoom) / 2.0)) - from * zoom;
        Self { x: place(all.x, all.w, w), y: place(all.y, all.h, h), zoom }
    }

    /// Moved as little as possible so that the area is seen.
    pub fn showing(self, area: Area, w: f64, h: f64) -> Self {
        let shift = |seen: f64, size: f64, side: f64| {
            if seen < MARGIN || size > side - 2.0 * MARGIN {
                MARGIN - seen
            } else if seen + size > side - MARGIN {
                side - MARGIN - seen - size
            } else {
                0.0
            }
        };
        let dx = shift(area.x * self.zoom + self.x, area.w * self.zoom, w);
        let dy = shift(area.y * self.zoom + self.y, area.h * self.zoom, h);
        self.panned(dx, dy)
    }
}

/// A place for `wanted` where it covers no note, as near as possible to where it is wanted.
pub fn free_near(taken: &[Area], wanted: Area) -> (f64, f64) {
    let step = 40.0;
    let free = |x: f64, y: f64| {
        let gap = 12.0;
        !taken.iter().any(|area| {
            x < area.x + area.w + gap
                && area.x < x + wanted.w + gap
                && y < area.y + area.h + gap
                && area.y < y + wanted.h + gap
        })
    };
    // Rings around the place; each is searched for its nearest point. A crowded cloth is left crowded.
    for ring in 0..24_i32 {
        let reach = -ring..=ring;
        let nearest = reach
            .clone()
            .flat_map(|i| reach.clone().map(move |j| (i, j)))
            .filter(|(i, j)| i.abs().max(j.abs()) == ring)
            .map(|(i, j)| (wanted.x + f64::from(i) * step, wanted.y + f64::from(j) * step))
            .filter(|(x, y)| free(*x, *y))
            .min_by(|a, b| {
                let far = |at: &(f64, f64)| (at.0 - wanted.x).hypot(at.1 - wanted.y);
                far(a).total_cmp(&far(b))
            });
        if let Some(place) = nearest {
            return place;
        }
    }
    (wanted.x, wanted.y)
}

fn bounds(areas: &[Area]) -> Option<Area> {
    let first = areas.first()?;
    let (mut left, mut top, mut right, mut bottom) = (first.x, first.y, first.x + first.w, first.y + first.h);
    for area in areas {
        left = left.min(area.x);
        top = top.min(area.y);
        right = right.max(area.x + area.w);
        bottom = bottom.max(area.y + area.h);
    }
    Some(Area { x: left, y: top, w: right - left, h: bottom - top })
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: f64 = 1000.0;
    const H: f64 = 700.0;

    fn area(x: f64, y: f64, w: f64, h: f64) -> Area {
        Area { x, y, w, h }
    }

    #[test]
    fn what_is_under_the_pointer_stays_there() {
        let before = Camera { x: 30.0, y: -80.0, zoom: 0.8 };
        let at = before.to_cloth(400.0, 300.0);
        let after = before.zoomed(1.5, 400.0, 300.0).to_cloth(400.0, 300.0);
        assert!((at.0 - after.0).abs() < 1e-9 && (at.1 - after.1).abs() < 1e-9);
        assert_eq!(before.zoomed(100.0, 0.0, 0.0).zoom, ZOOM.1);
        assert_eq!(before.zoomed(0.001, 0.0, 0.0).zoom, ZOOM.0);
    }

    #[test]
    fn a_few_notes_lie_in_the_middle_at_their_own_size() {
        let camera = Camera::fitting(&[area(100.0, 100.0, 220.0, 150.0)], W, H);
        assert_eq!(camera.zoom, 1.0);
        assert_eq!(camera.to_cloth(W / 2.0, H / 2.0), (210.0, 175.0));
    }

    #[test]
    fn many_notes_are_made_smaller_only_as_long_as_they_can_be_read() {
        let camera = Camera::fitting(&[area(0.0, 0.0, 220.0, 150.0), area(1200.0, 500.0, 220.0, 150.0)], W, H);
        assert!(camera.zoom < 1.0 && camera.zoom > LEGIBLE);
        let camera = Camera::fitting(&[area(0.0, 0.0, 220.0, 150.0), area(9000.0, 0.0, 220.0, 150.0)], W, H);
        assert_eq!(camera.zoom, LEGIBLE);
        assert_eq!(camera.x, MARGIN);
        assert_eq!(Camera::fitting(&[], W, H).zoom, 1.0);
    }

    #[test]
    fn a_new_note_covers_none_that_lies_there() {
        let wanted = area(100.0, 100.0, 220.0, 140.0);
        assert_eq!(free_near(&[], wanted), (100.0, 100.0));
        let mut taken = Vec::new();
        for _ in 0..12 {
            let (x, y) = free_near(&taken, wanted);
            let new = area(x, y, 220.0, 140.0);
            assert!(taken.iter().all(|other: &Area| {
                x >= other.x + other.w || other.x >= x + new.w || y >= other.y + other.h || other.y >= y + new.h
            }));
            taken.push(new);
        }
        assert!(taken.iter().all(|area| (area.x - 100.0).abs() < 900.0 && (area.y - 100.0).abs() < 900.0));
    }

    #[test]
    fn a_note_outside_is_brought_in_and_one_inside_moves_nothing() {
        let camera = Camera::default();
        assert_eq!(camera.showing(area(100.0, 100.0, 200.0, 100.0), W, H), camera);
        let shown = camera.showing(area(1500.0, 100.0, 200.0, 100.0), W, H);
        assert_eq!(shown.x, W - MARGIN - 1700.0);
        assert_eq!(shown.y, 0.0);
        assert_eq!(camera.showing(area(-50.0, 0.0, 10.0, 10.0), W, H).x, MARGIN + 50.0);
    }
}
