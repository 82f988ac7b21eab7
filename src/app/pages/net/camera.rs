//! What part of a drawing is seen. Pure.

/// `scale` pixels a drawing unit, (`x`, `y`) at the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    pub x: f64,
    pub y: f64,
    pub scale: f64,
}

/// Pixels a drawing unit at most and at least.
const CLOSEST: f64 = 8.0;
const FARTHEST: f64 = 0.005;

impl Camera {
    /// The whole of a drawing in a space of `width` × `height` pixels, no larger than `most`.
    pub fn fit(drawing: (f64, f64), width: f64, height: f64, most: f64) -> Camera {
        let scale = (width / drawing.0.max(1.0)).min(height / drawing.1.max(1.0)).min(most);
        let scale = scale.max(FARTHEST);
        Camera { x: (drawing.0 - width / scale) / 2.0, y: (drawing.1 - height / scale) / 2.0, scale }
    }

    /// Closer by `factor`, keeping what is at pixel (`px`, `py`) there.
    pub fn zoom(self, factor: f64, px: f64, py: f64) -> Camera {
        let scale = (self.scale * factor).clamp(FARTHEST, CLOSEST);
        let (x, y) = self.drawing(px, py);
        Camera { x: x - px / scale, y: y - py / scale, scale }
    }

    /// Moved by so many pixels, to the right and down.
    pub fn pan(self, dx: f64, dy: f64) -> Camera {
        Camera { x: self.x + dx / self.scale, y: self.y + dy / self.scale, ..self }
    }

    /// With the drawing's (`x`, `y`) in the middle of a space of `width` × `height` pixels, at least `scale` close.
    pub fn look_at(self, x: f64, y: f64, width: f64, height: f64, scale: f64) -> Camera {
        let scale = self.scale.max(scale);
        Camera { x: x - width / scale / 2.0, y: y - height / scale / 2.0, scale }
    }

    /// Where in the drawing a pixel is.
    pub fn drawing(self, px: f64, py: f64) -> (f64, f64) {
        (self.x + px / self.scale, self.y + py / self.scale)
    }

    /// No further from the drawing than that a part of it is seen.
    pub fn held(self, drawing: (f64, f64), width: f64, height: f64) -> Camera {
        let keep = |at: f64, drawing: f64, seen: f64| {
            // A quarter of what is seen, or all of the drawing where that is less.
            let least = (seen / 4.0).min(drawing);
            at.clamp(least - seen, drawing - least)
        };
        let (width, height) = (width / self.scale, height / self.scale);
        Camera { x: keep(self.x, drawing.0, width), y: keep(self.y, drawing.1, height), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::Camera;

    #[test]
    fn zooming_keeps_what_is_under_the_pointer() {
        let camera = Camera::fit((1_000.0, 500.0), 400.0, 400.0, 2.0);
        let before = camera.drawing(120.0, 80.0);
        let after = camera.zoom(1.7, 120.0, 80.0).drawing(120.0, 80.0);
        assert!((before.0 - after.0).abs() < 1e-6 && (before.1 - after.1).abs() < 1e-6);
    }

    #[test]
    fn fitting_shows_the_whole_drawing_in_the_middle() {
        let camera = Camera::fit((1_000.0, 500.0), 500.0, 500.0, 2.0);
        assert_eq!(camera, Camera { x: 0.0, y: -250.0, scale: 0.5 });
        assert_eq!(Camera::fit((10.0, 10.0), 500.0, 500.0, 2.0).scale, 2.0);
    }

    #[test]
    fn the_drawing_cannot_be_lost() {
        let camera = Camera { x: 1e6, y: -1e6, scale: 1.0 }.held((1_000.0, 500.0), 400.0, 400.0);
        assert_eq!((camera.x, camera.y), (900.0, -300.0));
        let inside = Camera { x: 10.0, y: 20.0, scale: 1.0 };
        assert_eq!(inside.held((1_000.0, 500.0), 400.0, 400.0), inside);
    }

    #[test]
    fn looking_at_a_node_puts_it_in_the_middle() {
        let camera = Camera { x: 0.0, y: 0.0, scale: 0.1 }.look_at(300.0, 200.0, 400.0, 200.0, 1.0);
        assert_eq!(camera, Camera { x: 100.0, y: 100.0, scale: 1.0 });
    }
}
