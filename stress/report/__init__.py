"""What a run says: on the terminal (table), as JSON (files), as a page with pictures (page, pictures)."""
