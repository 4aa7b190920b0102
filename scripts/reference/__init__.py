"""Reference pages, one file each: `render() -> str`. The registry is PAGES in `scripts.docs`."""
