export {};
throw new Error('this plugin cannot start: no licence');
