//! Painting on a canvas in the colours of the page.

use leptos::{html, prelude::*};
use std::{cell::RefCell, collections::HashMap};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// The size of a canvas in CSS pixels, and how many device pixels one is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    pub width: f64,
    pub height: f64,
    pub ratio: f64,
}

fn size_of(canvas: &HtmlCanvasElement) -> Size {
    let ratio = super::browser::window().device_pixel_ratio();
    Size { width: canvas.client_width().into(), height: canvas.client_height().into(), ratio }
}

/// Keeps `size` as the size of the canvas while the current owner lives.
pub fn watch_size(canvas: NodeRef<html::Canvas>, size: RwSignal<Option<Size>>) {
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        size.set(Some(size_of(&canvas)));
        let watched = canvas.clone();
        let closure = Closure::<dyn FnMut()>::new(move || _ = size.try_set(Some(size_of(&watched))));
        if let Ok(observer) = web_sys::ResizeObserver::new(closure.as_ref().unchecked_ref()) {
            observer.observe(&canvas);
            let kept = send_wrapper::SendWrapper::new((observer, closure));
            on_cleanup(move || kept.0.disconnect());
        }
    });
}

/// Draws in colours named by the page's custom properties.
pub struct Pen {
    context: CanvasRenderingContext2d,
    size: Size,
    style: web_sys::CssStyleDeclaration,
    colours: RefCell<HashMap<&'static str, String>>,
}

type Point = (f64, f64);

impl Pen {
    pub fn on(canvas: &HtmlCanvasElement, size: Size) -> Option<Pen> {
        let (width, height) = ((size.width * size.ratio) as u32, (size.height * size.ratio) as u32);
        if (canvas.width(), canvas.height()) != (width, height) {
            canvas.set_width(width);
            canvas.set_height(height);
        }
        let context = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
        let style = super::browser::window().get_computed_style(canvas).ok()??;
        context.set_transform(size.ratio, 0.0, 0.0, size.ratio, 0.0, 0.0).ok()?;
        context.set_font("11px system-ui, sans-serif");
        context.set_text_align("center");
        Some(Pen { context, size, style, colours: RefCell::default() })
    }

    fn colour(&self, name: &'static str) -> String {
        let read = || self.style.get_property_value(name).unwrap_or_default().trim().to_owned();
        self.colours.borrow_mut().entry(name).or_insert_with(read).clone()
    }

    pub fn clear(&self) {
        self.context.clear_rect(0.0, 0.0, self.size.width, self.size.height);
    }

    /// Whether a point is within the canvas, or as near to it as `margin`.
    pub fn holds(&self, x: f64, y: f64, margin: f64) -> bool {
        x > -margin && y > -margin && x < self.size.width + margin && y < self.size.height + margin
    }

    pub fn lines(&self, colour: &'static str, opacity: f64, lines: impl Iterator<Item = (Point, Point)>) {
        self.context.begin_path();
        for (from, to) in lines {
            self.context.move_to(from.0, from.1);
            self.context.line_to(to.0, to.1);
        }
        self.context.set_stroke_style_str(&self.colour(colour));
        self.context.set_line_width(1.0);
        self.context.set_global_alpha(opacity);
        self.context.stroke();
        self.context.set_global_alpha(1.0);
    }

    pub fn circles(
        &self,
        fill: &'static str,
        stroke: &'static str,
        radius: f64,
        at: impl Iterator<Item = Point>,
    ) {
        self.context.begin_path();
        for (x, y) in at {
            self.context.move_to(x + radius, y);
            _ = self.context.arc(x, y, radius, 0.0, std::f64::consts::TAU);
        }
        self.finish(fill, stroke, radius);
    }

    pub fn squares(
        &self,
        fill: &'static str,
        stroke: &'static str,
        half: f64,
        at: impl Iterator<Item = Point>,
    ) {
        self.context.begin_path();
        for (x, y) in at {
            self.context.rect(x - half, y - half, 2.0 * half, 2.0 * half);
        }
        self.finish(fill, stroke, half);
    }

    fn finish(&self, fill: &'static str, stroke: &'static str, size: f64) {
        // What is only a few pixels wide is one colour: an outline would hide it.
        let tiny = size < 4.0;
        self.context.set_fill_style_str(&self.colour(if tiny { stroke } else { fill }));
        self.context.fill();
        if !tiny {
            self.context.set_stroke_style_str(&self.colour(stroke));
            self.context.set_line_width(1.2);
            self.context.stroke();
        }
    }

    pub fn ring(&self, colour: &'static str, radius: f64, at: Point) {
        self.context.begin_path();
        _ = self.context.arc(at.0, at.1, radius, 0.0, std::f64::consts::TAU);
        self.context.set_stroke_style_str(&self.colour(colour));
        self.context.set_line_width(2.5);
        self.context.stroke();
    }

    pub fn text(&self, colour: &'static str, x: f64, y: f64, text: &str) {
        self.context.set_fill_style_str(&self.colour(colour));
        _ = self.context.fill_text(text, x, y);
    }
}
