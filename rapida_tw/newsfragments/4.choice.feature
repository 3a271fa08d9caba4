`rapida deployment set --recognizer NAME:CREDENTIAL,OPTION=VALUE` (and --voice, and --model of an assistant) names vendors with their credential, options and, when given again, fallbacks.
