"""DNG files beyond what LibRaw hands over: their tags, and what follows from them for levels, colors and shading."""
