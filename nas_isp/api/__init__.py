"""The functions that `nas_isp` offers and the commands call: each takes what a user names and does one whole job."""
