"""What this package adds to nas_isp; see pyproject.toml for the names under which it is found."""
