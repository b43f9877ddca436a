package validate

// Decode decodes a body, with the default bound of its values.
func Decode(text string, duplicates bool) (any, error) {
	value, _, err := decode(text, defaultMaxValues, duplicates)
	return value, err
}
