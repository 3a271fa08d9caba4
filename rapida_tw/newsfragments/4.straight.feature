A vendor that speaks the format of the call's leg (µ-law at 8 kHz for Twilio) is sent on byte for byte: no resampling, no second encoding.
