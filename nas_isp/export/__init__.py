"""Writing models for phones and other runtimes, checking what was written, and developing photos with any of them."""
