"""A small procedural world: scenes in linear light, painted back to front, that the demo set is photographed in."""
